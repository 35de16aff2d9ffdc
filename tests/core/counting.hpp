// The counting allocator: a program whose one source file includes this counts what the objects of the library ask for, and
// may refuse it. It replaces operator new, and malloc, realloc and free of the objects (linked with -Wl,--wrap; a compiler
// makes malloc of a realloc that it knows to be the first).
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <new>

#include <malloc.h>

namespace test {

// On a thread that sets it, nothing is refused.
inline thread_local bool is_spared = false;

// Set by one thread while no other one allocates; counts on any.
struct Counter {
  std::atomic<bool> counts{false};
  std::atomic<std::size_t> asked{0};      // allocations since it was set
  std::atomic<std::ptrdiff_t> live{0};    // of these, not given back
  std::atomic<std::ptrdiff_t> bytes{0};   // in them
  std::atomic<std::ptrdiff_t> most{0};    // the most bytes there were; while a block is moved it counts twice
  std::atomic<std::size_t> fails_from{0}; // 0: never; else the number of the first allocation that fails
  std::atomic<std::size_t> fails_to{0};   // and of the last
  std::atomic<bool> is_odd{false};        // what operator new refuses it refuses by an exception of another type

  void set(bool counting, std::size_t from = 0, std::size_t to = 0) {
    asked = 0;
    live = bytes = most = 0;
    fails_from = from;
    fails_to = to;
    counts = counting;
  }
  bool allows() {
    if (!counts || is_spared) return true;
    const std::size_t number = ++asked;
    return fails_from == 0 || number < fails_from || number > fails_to;
  }
  void took(const void *memory) {
    if (!counts) return;
    ++live;
    const std::ptrdiff_t all = bytes += size_of(memory);
    std::ptrdiff_t before = most;
    while (before < all && !most.compare_exchange_weak(before, all)) {
    }
  }
  void gave(std::ptrdiff_t size) {
    if (!counts) return;
    --live;
    bytes -= size;
  }
  static std::ptrdiff_t size_of(const void *memory) {
    return static_cast<std::ptrdiff_t>(::malloc_usable_size(const_cast<void *>(memory)));
  }
};

inline Counter counter;

// Counts what happens while it lives.
class Counting {
public:
  explicit Counting(std::size_t fails_from = 0, std::size_t fails_to = 0) { counter.set(true, fails_from, fails_to); }
  ~Counting() { counter.set(false); }
  Counting(const Counting &) = delete;
  Counting &operator=(const Counting &) = delete;
};

} // namespace test

extern "C" {
void *__real_malloc(std::size_t size);
void *__wrap_malloc(std::size_t size);
}

namespace {

using test::counter;

void *allocated(std::size_t size, std::size_t alignment) {
  if (!counter.allows()) return nullptr;
  void *memory = alignment <= alignof(std::max_align_t)
                     ? __real_malloc(size == 0 ? 1 : size)
                     : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory != nullptr) counter.took(memory);
  return memory;
}

void *allocated_or_throw(std::size_t size, std::size_t alignment) {
  void *memory = allocated(size, alignment);
  if (memory == nullptr && counter.is_odd) throw std::bad_exception();
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

} // namespace

extern "C" {
void *__real_realloc(void *memory, std::size_t size);
void __real_free(void *memory);
void *__wrap_realloc(void *memory, std::size_t size);
void __wrap_free(void *memory);

void *__wrap_malloc(std::size_t size) { return allocated(size, 1); }
void *__wrap_realloc(void *memory, std::size_t size) {
  if (!counter.allows()) return nullptr;
  const std::ptrdiff_t before = test::Counter::size_of(memory);
  void *moved = __real_realloc(memory, size);
  if (moved == nullptr) return nullptr;
  counter.took(moved);
  if (memory != nullptr) counter.gave(before);
  return moved;
}
void __wrap_free(void *memory) {
  if (memory != nullptr) counter.gave(test::Counter::size_of(memory));
  __real_free(memory);
}
}

void *operator new(std::size_t size) { return allocated_or_throw(size, 1); }
void *operator new[](std::size_t size) { return allocated_or_throw(size, 1); }
void *operator new(std::size_t size, std::align_val_t to) { return allocated_or_throw(size, std::size_t(to)); }
void *operator new[](std::size_t size, std::align_val_t to) { return allocated_or_throw(size, std::size_t(to)); }
void *operator new(std::size_t size, const std::nothrow_t &) noexcept { return allocated(size, 1); }
void *operator new[](std::size_t size, const std::nothrow_t &) noexcept { return allocated(size, 1); }
void operator delete(void *memory) noexcept { __wrap_free(memory); }
void operator delete[](void *memory) noexcept { __wrap_free(memory); }
void operator delete(void *memory, std::size_t) noexcept { __wrap_free(memory); }
void operator delete[](void *memory, std::size_t) noexcept { __wrap_free(memory); }
void operator delete(void *memory, std::align_val_t) noexcept { __wrap_free(memory); }
void operator delete[](void *memory, std::align_val_t) noexcept { __wrap_free(memory); }
void operator delete(void *memory, std::size_t, std::align_val_t) noexcept { __wrap_free(memory); }
void operator delete[](void *memory, std::size_t, std::align_val_t) noexcept { __wrap_free(memory); }
void operator delete(void *memory, const std::nothrow_t &) noexcept { __wrap_free(memory); }
void operator delete[](void *memory, const std::nothrow_t &) noexcept { __wrap_free(memory); }
