/* Tells the sanitizers about stack switches; in other builds all of this is nothing.
 *
 * Order of a switch into a fiber: fiber_enter() on the main stack, fiber_entered() on the fiber;
 * out of it: fiber_leave() on the fiber, fiber_left() on the main stack. Interfaces:
 * sanitizer/common_interface_defs.h and sanitizer/tsan_interface.h. */
#ifndef IO_FIBER_SANITIZER_H
#define IO_FIBER_SANITIZER_H

#include <stdbool.h>
#include <stddef.h>

/* A call that returned after the switch would leave its frame on the wrong shadow stack. */
#define FIBER_INLINE static inline __attribute__((always_inline))

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif

#if defined(FIBER_ASAN)
#include <sanitizer/common_interface_defs.h>

struct fiber {
    const void *stack;
    size_t stack_bytes;
    void *fake_stack;
};
struct fiber_main {
    const void *stack;
    size_t stack_bytes;
    void *fake_stack;
};

FIBER_INLINE void fiber_init(struct fiber *fiber, const void *stack, size_t stack_bytes)
{
    *fiber = (struct fiber){stack, stack_bytes, NULL};
}
FIBER_INLINE void fiber_fini(struct fiber *fiber)
{
    (void)fiber;
}
FIBER_INLINE void fiber_enter(struct fiber *fiber, struct fiber_main *main)
{
    __sanitizer_start_switch_fiber(&main->fake_stack, fiber->stack, fiber->stack_bytes);
}
FIBER_INLINE void fiber_entered(struct fiber *fiber, struct fiber_main *main)
{
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &main->stack, &main->stack_bytes);
}
FIBER_INLINE void fiber_leave(struct fiber *fiber, struct fiber_main *main, bool is_final)
{
    __sanitizer_start_switch_fiber(is_final ? NULL : &fiber->fake_stack, main->stack,
                                   main->stack_bytes);
}
FIBER_INLINE void fiber_left(struct fiber_main *main)
{
    __sanitizer_finish_switch_fiber(main->fake_stack, NULL, NULL);
}

#elif defined(FIBER_TSAN)
#include <sanitizer/tsan_interface.h>

struct fiber {
    void *handle;
};
struct fiber_main {
    void *handle;
};

FIBER_INLINE void fiber_init(struct fiber *fiber, const void *stack, size_t stack_bytes)
{
    (void)stack;
    (void)stack_bytes;
    fiber->handle = __tsan_create_fiber(0);
}
FIBER_INLINE void fiber_fini(struct fiber *fiber)
{
    __tsan_destroy_fiber(fiber->handle);
}
FIBER_INLINE void fiber_enter(struct fiber *fiber, struct fiber_main *main)
{
    main->handle = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber->handle, 0);
}
FIBER_INLINE void fiber_entered(struct fiber *fiber, struct fiber_main *main)
{
    (void)fiber;
    (void)main;
}
FIBER_INLINE void fiber_leave(struct fiber *fiber, struct fiber_main *main, bool is_final)
{
    (void)fiber;
    (void)is_final;
    __tsan_switch_to_fiber(main->handle, 0);
}
FIBER_INLINE void fiber_left(struct fiber_main *main)
{
    (void)main;
}

#else

struct fiber {
    char unused;
};
struct fiber_main {
    char unused;
};

FIBER_INLINE void fiber_init(struct fiber *fiber, const void *stack, size_t stack_bytes)
{
    (void)fiber;
    (void)stack;
    (void)stack_bytes;
}
FIBER_INLINE void fiber_fini(struct fiber *fiber)
{
    (void)fiber;
}
FIBER_INLINE void fiber_enter(struct fiber *fiber, struct fiber_main *main)
{
    (void)fiber;
    (void)main;
}
FIBER_INLINE void fiber_entered(struct fiber *fiber, struct fiber_main *main)
{
    (void)fiber;
    (void)main;
}
FIBER_INLINE void fiber_leave(struct fiber *fiber, struct fiber_main *main, bool is_final)
{
    (void)fiber;
    (void)main;
    (void)is_final;
}
FIBER_INLINE void fiber_left(struct fiber_main *main)
{
    (void)main;
}

#endif
#endif
