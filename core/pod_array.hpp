// A growing array of plain values.
// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace marc {

// One allocation, kept when cleared, never initialised.
template <typename T> class PodArray {
public:
  void clear() { size_ = 0; }
  void push(T value) {
    if (size_ == capacity_) grow(size_ + 1);
    data_[size_++] = value;
  }
  // Room for `count` more values; commit() says how many were written at end().
  void reserve_more(std::size_t count) {
    if (capacity_ - size_ < count) grow(size_ + count);
  }
  T *begin() { return data_.get(); }
  T *end() { return data_.get() + size_; }
  const T *begin() const { return data_.get(); }
  const T *end() const { return data_.get() + size_; }
  void commit(std::size_t count) { size_ += count; }
  void shrink(std::size_t size) { size_ = size; }

  T &operator[](std::size_t i) { return data_[i]; }
  const T &operator[](std::size_t i) const { return data_[i]; }
  const T *data() const { return data_.get(); }
  std::size_t size() const { return size_; }

private:
  void grow(std::size_t least) {
    count_steps(size_ * sizeof(T));
    const std::size_t capacity = std::max({least, capacity_ * 2, std::size_t{64}});
    T *moved = static_cast<T *>(std::realloc(data_.get(), capacity * sizeof(T)));
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(moved);
    capacity_ = capacity;
  }

  struct Free {
    void operator()(T *p) const { std::free(p); }
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace marc
