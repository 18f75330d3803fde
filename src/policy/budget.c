#include "policy/budget.h"

#include <stddef.h>

#include "base/assert.h"

#define CLAIMED          (UINT64_C(1) << 63)
#define GENERATION_SHIFT 59 /* in a window word */
#define GENERATION_MASK  UINT64_C(15)
#define NUMBER_MASK      ((UINT64_C(1) << GENERATION_SHIFT) - 1)
#define AMOUNT_BITS      60 /* in the other words */
#define TOLD_ALL         255U
#define SPENT_TRIES      16

static uint64_t generation_of_window(uint64_t window)
{
    return window >> GENERATION_SHIFT & GENERATION_MASK;
}

static uint64_t number_of(uint64_t window)
{
    return window & NUMBER_MASK;
}

static uint64_t generation_of(uint64_t word)
{
    return word >> AMOUNT_BITS;
}

static uint64_t amount_of(uint64_t word)
{
    return word & BUDGET_AMOUNT_MAX;
}

static uint64_t word_of(uint64_t generation, uint64_t amount)
{
    return generation << AMOUNT_BITS | amount;
}

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_seq_cst);
}

static bool exchange(_Atomic uint64_t *word, uint64_t *expected, uint64_t desired)
{
    return atomic_compare_exchange_strong_explicit(word, expected, desired, memory_order_seq_cst,
                                                   memory_order_seq_cst);
}

/* --- amounts ----------------------------------------------------------------------------------- */

static uint64_t plus(uint64_t amount, uint64_t more)
{
    return more < BUDGET_AMOUNT_MAX - amount ? amount + more : BUDGET_AMOUNT_MAX;
}

static uint64_t minus(uint64_t amount, uint64_t less)
{
    return amount > less ? amount - less : 0;
}

/* Adds `more`, then takes `less` off, in the generation. False: the word has gone on. */
static bool change(_Atomic uint64_t *word, uint64_t generation, uint64_t more, uint64_t less)
{
    uint64_t old = load(word);
    do {
        if (generation_of(old) != generation)
            return false;
    } while (!exchange(word, &old, word_of(generation, minus(plus(amount_of(old), more), less))));
    return true;
}

/* --- windows ----------------------------------------------------------------------------------- */

/* Empties the word for the generation after `former`. What was read before the claim was seen to
 * stand is of this turn, so the CAS cannot hit a later one. */
static void empty(struct budget_cell *cell, uint64_t claimed, _Atomic uint64_t *word)
{
    const uint64_t generation = generation_of_window(claimed);
    const uint64_t former = (generation - 1) & GENERATION_MASK;
    uint64_t old = load(word);
    while (generation_of(old) == former && load(&cell->window) == claimed) {
        if (exchange(word, &old, word_of(generation, 0)))
            return;
    }
}

static void finish_claim(struct budget *budget, unsigned index, uint64_t claimed)
{
    struct budget_cell *cell = &budget->cells[index];
    empty(cell, claimed, &cell->held);
    empty(cell, claimed, &cell->committed);
    empty(cell, claimed, &budget->told[index]);
    (void)exchange(&cell->window, &claimed, claimed & ~CLAIMED);
}

/* Both window words, without a claim. */
static void read_windows(struct budget *budget, uint64_t windows[2])
{
    for (unsigned i = 0; i < 2; i++) {
        const _Atomic uint64_t *window = &budget->cells[i].window;
        windows[i] = load(window);
        while ((windows[i] & CLAIMED) != 0) {
            finish_claim(budget, i, windows[i]);
            windows[i] = load(window);
        }
    }
}

/* The cell that counts for the number: it has it, or is the older one. */
static unsigned choose(const uint64_t windows[2], uint64_t number)
{
    const unsigned older = number_of(windows[0]) <= number_of(windows[1]) ? 0 : 1;
    return number_of(windows[1 - older]) == number ? 1 - older : older;
}

/* The cell that counts for the number, made to if need be, and its window word. */
static struct budget_cell *enter(struct budget *budget, uint64_t number, uint64_t *window_out)
{
    ASSERT(number > 0 && number <= NUMBER_MASK);
    for (;;) {
        uint64_t windows[2];
        read_windows(budget, windows);
        const unsigned index = choose(windows, number);
        struct budget_cell *cell = &budget->cells[index];
        uint64_t window = windows[index];
        *window_out = window;
        if (number <= number_of(window))
            return cell;
        const uint64_t generation = (generation_of_window(window) + 1) & GENERATION_MASK;
        const uint64_t claimed = CLAIMED | generation << GENERATION_SHIFT | number;
        if (exchange(&cell->window, &window, claimed))
            finish_claim(budget, index, claimed);
    }
}

/* The cell whose window the word is; NULL: that window is over. */
static struct budget_cell *find(struct budget *budget, uint64_t window)
{
    for (unsigned i = 0; i < 2; i++) {
        if (load(&budget->cells[i].window) == window)
            return &budget->cells[i];
    }
    return NULL;
}

/* --- holding and settling ---------------------------------------------------------------------- */

enum outcome { DONE, REFUSED, OVER };

static bool fits(uint64_t committed, uint64_t amount, uint64_t limit)
{
    return amount == 0 || limit == BUDGET_NO_LIMIT || amount <= minus(limit, committed);
}

/* Raises *committed* if it stays within the limit. */
static enum outcome commit(struct budget_cell *cell, uint64_t generation, uint64_t amount,
                           uint64_t limit)
{
    uint64_t old = load(&cell->committed);
    do {
        if (generation_of(old) != generation)
            return OVER;
        if (!fits(amount_of(old), amount, limit))
            return REFUSED;
    } while (!exchange(&cell->committed, &old, word_of(generation, plus(amount_of(old), amount))));
    return DONE;
}

static enum outcome hold_in(struct budget_cell *cell, uint64_t generation, uint64_t amount,
                            uint64_t limit)
{
    const uint64_t committed = load(&cell->committed);
    if (generation_of(committed) != generation)
        return OVER;
    if (amount == 0)
        return DONE;
    if (!fits(amount_of(committed), amount, limit)) /* before *held* is touched in vain */
        return REFUSED;
    if (!change(&cell->held, generation, amount, 0))
        return OVER;
    const enum outcome outcome = commit(cell, generation, amount, limit);
    if (outcome != DONE)
        (void)change(&cell->held, generation, 0, amount);
    return outcome;
}

bool budget_hold(struct budget *budget, uint64_t number, uint64_t amount, uint64_t limit,
                 uint64_t *window_word_out)
{
    enum outcome outcome;
    uint64_t window;
    do {
        struct budget_cell *cell = enter(budget, number, &window);
        outcome = hold_in(cell, generation_of_window(window), amount, limit);
    } while (outcome == OVER);
    if (outcome == DONE)
        *window_word_out = window;
    return outcome == DONE;
}

bool budget_extend(struct budget *budget, uint64_t window_word, uint64_t amount, uint64_t limit)
{
    struct budget_cell *cell = find(budget, window_word);
    return cell == NULL ||
           hold_in(cell, generation_of_window(window_word), amount, limit) != REFUSED;
}

void budget_settle(struct budget *budget, uint64_t window_word, uint64_t held, uint64_t spent)
{
    struct budget_cell *cell = find(budget, window_word);
    const uint64_t generation = generation_of_window(window_word);
    if (cell == NULL || !change(&cell->committed, generation, spent, held))
        return;
    if (held > 0)
        (void)change(&cell->held, generation, 0, held);
}

void budget_add(struct budget *budget, uint64_t number, uint64_t spent)
{
    struct budget_cell *cell;
    uint64_t window;
    do
        cell = enter(budget, number, &window);
    while (!change(&cell->committed, generation_of_window(window), spent, 0));
}

bool budget_has(struct budget *budget, uint64_t window_word)
{
    return find(budget, window_word) != NULL;
}

void budget_add_late(struct budget *budget, uint64_t number, uint64_t spent)
{
    uint64_t windows[2];
    read_windows(budget, windows);
    const unsigned index = choose(windows, number);
    if (number_of(windows[index]) == number)
        (void)change(&budget->cells[index].committed, generation_of_window(windows[index]), spent,
                     0);
}

void budget_forget(struct budget *budget)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t windows[2], claimed;
        do {
            read_windows(budget, windows);
            const uint64_t generation = (generation_of_window(windows[i]) + 1) & GENERATION_MASK;
            claimed = CLAIMED | generation << GENERATION_SHIFT;
        } while (!exchange(&budget->cells[i].window, &windows[i], claimed));
        finish_claim(budget, i, claimed);
    }
}

/* --- reading ----------------------------------------------------------------------------------- */

/* *held* and *committed* as they were at one moment; false: the window has gone on. Where others
 * leave no such moment, the least that may have been spent. */
static bool read_cell(struct budget_cell *cell, uint64_t generation, struct budget_state *state_out)
{
    uint64_t held = load(&cell->held), least = UINT64_MAX;
    for (unsigned i = 0; i < SPENT_TRIES; i++) {
        const uint64_t committed = load(&cell->committed);
        const uint64_t held_after = load(&cell->held);
        if (generation_of(committed) != generation || generation_of(held_after) != generation)
            return false;
        const uint64_t most_held = held > held_after ? held : held_after;
        const uint64_t spent = minus(amount_of(committed), amount_of(most_held));
        *state_out = (struct budget_state){amount_of(committed), amount_of(most_held)};
        if (held == held_after)
            return true;
        least = spent < least ? spent : least;
        held = held_after;
    }
    state_out->held = minus(state_out->committed, least);
    return true;
}

struct budget_state budget_read(struct budget *budget, uint64_t number)
{
    struct budget_state state = {0, 0};
    for (;;) {
        uint64_t windows[2];
        read_windows(budget, windows);
        const unsigned index = choose(windows, number);
        if (number > number_of(windows[index]))
            return (struct budget_state){0, 0}; /* nobody has counted in it yet */
        if (read_cell(&budget->cells[index], generation_of_window(windows[index]), &state))
            return state;
    }
}

bool budget_spent(struct budget *budget, uint64_t window_word, uint64_t *spent_out)
{
    struct budget_state state = {0, 0};
    struct budget_cell *cell = find(budget, window_word);
    if (cell == NULL || !read_cell(cell, generation_of_window(window_word), &state))
        return false;
    *spent_out = minus(state.committed, state.held);
    return true;
}

unsigned budget_mark_told(struct budget *budget, uint64_t window_word, unsigned percent)
{
    ASSERT(percent > 0 && percent <= TOLD_ALL);
    const struct budget_cell *cell = find(budget, window_word);
    const uint64_t generation = generation_of_window(window_word);
    if (cell == NULL)
        return TOLD_ALL;
    _Atomic uint64_t *word = &budget->told[cell - budget->cells];
    uint64_t old = load(word);
    do {
        if (generation_of(old) != generation)
            return TOLD_ALL;
        if (amount_of(old) >= percent)
            break;
    } while (!exchange(word, &old, word_of(generation, percent)));
    return (unsigned)amount_of(old);
}

void budget_forget_told(struct budget *budget)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t old = load(&budget->told[i]);
        while (!exchange(&budget->told[i], &old, word_of(generation_of(old), 0)))
            ;
    }
}
