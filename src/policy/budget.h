/* The money counted in one budget: for each of two windows one word *committed* = spent + held, which
 * alone decides, and one *held*, which only tells.
 *
 *   window word:     [claimed 1][generation 4][window number 59]; 0: never used
 *   committed, held: [generation 4][nano-dollars 60]
 *   told:            [generation 4][percent 60]
 *
 * A cell passes from one window to a later one in three steps, and whoever meets a cell between them
 * finishes the steps first:
 *
 *   window:          old → claimed | generation + 1 | new        one CAS: one wins
 *   held, committed,
 *   told:            (old generation, any) → (new generation, 0)
 *   window:          claimed | … → …                             the claim is cleared
 *
 * 1. An amount changes only by a CAS that expects the generation of the window it is meant for. So
 *    what settles late can never change the amount of another window.
 * 2. Of the two cells the one with the older window passes on, and only to a window later than its
 *    own. So the number of a cell only rises (until budget_forget() makes it 0), no window is in both, and a clock that steps forth and
 *    back finds its former window again.
 * 3. A moment older than both windows is counted in the older one.
 * 4. Amounts stop at the largest and at 0; they never wrap.
 * 5. *held* is raised before *committed* and lowered after it.
 *
 * A generation comes again after 16 windows. Only a thread that stood still in the middle of a step
 * for so long could be mistaken.
 *
 * Thread: any number at once, in any number of processes. Memory: the caller's. */
#ifndef POLICY_BUDGET_H
#define POLICY_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define BUDGET_AMOUNT_MAX ((UINT64_C(1) << 60) - 1) /* nano-dollars */
#define BUDGET_NO_LIMIT   UINT64_MAX

struct budget {
    struct budget_cell {
        _Atomic uint64_t window, committed, held;
    } cells[2];
    /* Of each cell the highest share that was told, in percent. */
    _Atomic uint64_t told[2];
};

/* What is counted for a moment's window. */
struct budget_state {
    uint64_t committed; /* spent and held */
    uint64_t held;
};
/* Changes nothing that anybody sees. */
struct budget_state budget_read(struct budget *budget, uint64_t number);

/* Holds `amount` in the window `number` (> 0) if no more than `limit` is committed with it; an amount
 * of 0 always fits. False: nothing was held, *window_word_out is untouched. */
bool budget_hold(struct budget *budget, uint64_t number, uint64_t amount, uint64_t limit,
                 uint64_t *window_word_out);
/* Holds more in the window that a hold belongs to. One that is over has no limit. */
bool budget_extend(struct budget *budget, uint64_t window_word, uint64_t amount, uint64_t limit);
/* Makes of `held` what was spent. Of a window that is over, nothing is known any more. */
void budget_settle(struct budget *budget, uint64_t window_word, uint64_t held, uint64_t spent);
/* Adds what was spent already. */
void budget_add(struct budget *budget, uint64_t number, uint64_t spent);

/* What was spent in the window of a hold, never too much. False: it is over. */
bool budget_spent(struct budget *budget, uint64_t window_word, uint64_t *spent_out);
/* Marks the shares up to `percent` (1 to 255) as told; returns up to which they had been: 255 once
 * the window is over. */
unsigned budget_mark_told(struct budget *budget, uint64_t window_word, unsigned percent);
/* Whether the window is still counted. */
bool budget_has(struct budget *budget, uint64_t window_word);
/* Adds to a window that is counted already; to none that is over. */
void budget_add_late(struct budget *budget, uint64_t number, uint64_t spent);
/* Forgets both windows: as if nothing had been counted yet. What is held in them has no place any more. */
void budget_forget(struct budget *budget);
/* Shares are to be told anew: the limit is another one. */
void budget_forget_told(struct budget *budget);

#endif
