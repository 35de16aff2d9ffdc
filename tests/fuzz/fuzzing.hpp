// What a fuzz target consists of: one function that libFuzzer, or replay.cpp, calls with bytes, and the mutator that
// knows what a record looks like.
//
// Every input begins with eight bytes of control, which say how the rest is read: in windows of which sizes, with which
// limits. The rest is the input of the library. All targets read the control bytes in the same way, so that what one of
// them has found serves the others.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

extern "C" {
int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);
std::size_t LLVMFuzzerCustomMutator(std::uint8_t *data, std::size_t size, std::size_t max_size, unsigned int seed);
std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t *first, std::size_t first_size, const std::uint8_t *second,
                                      std::size_t second_size, std::uint8_t *out, std::size_t max_size,
                                      unsigned int seed);
// Changes bytes blindly; of libFuzzer or, without it, of replay.cpp.
std::size_t LLVMFuzzerMutate(std::uint8_t *data, std::size_t size, std::size_t max_size);
}

namespace fuzz {

constexpr std::size_t kControl = 8;

// A promise of the library that was not kept. libFuzzer takes what nobody catches for a crash.
struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool kept, const char *promise) {
  if (!kept) throw Broken(promise);
}

// An input, taken apart.
class Input {
public:
  Input(const std::uint8_t *data, std::size_t size) {
    const std::size_t control = std::min(size, kControl);
    std::copy(data, data + control, control_.begin());
    bytes_ = {reinterpret_cast<const char *>(data) + control, size - control};
    stretch();
  }
  Input(const Input &) = delete;
  Input &operator=(const Input &) = delete;

  std::string_view bytes() const { return bytes_; }
  // Whether the plain rule of tests/core decides on them in little time: it looks at every place, far behind it too.
  bool is_easy() const { return bytes_.size() <= 12'000 && std::count(bytes_.begin(), bytes_.end(), '\x1d') <= 2'000; }

  bool flag(unsigned number) const { return (control_[0] >> number & 1) != 0; }
  // The largest record; 0 in the control bytes stands for `usual`. A long input is not cut into tiny parts: that is slow.
  std::size_t largest(std::size_t usual) const {
    const std::size_t stated = control_[1] | std::size_t{control_[2]} << 8;
    return stated == 0 ? usual : std::max(stated, bytes_.size() / 256);
  }
  std::uint8_t how() const { return control_[3]; }
  std::uint8_t chunk() const { return control_[4]; }
  std::uint8_t batch() const { return control_[5]; }
  // For what goes on at random; every control byte changes it.
  std::uint32_t seed() const {
    std::uint32_t seed = 2166136261;
    for (const std::uint8_t byte : control_) seed = (seed ^ byte) * 16777619;
    return seed;
  }

private:
  // Limits lie at 4 096, 99 999 and 131 072 bytes, and a fuzzer is fast with small inputs: the last control byte repeats
  // one byte of the input many times. Its place, from the end of the input, is the control byte before.
  void stretch() {
    const std::size_t times = control_[7] % 8 == 0 ? 0 : std::size_t{4090} << (control_[7] % 8 - 1);
    if (times == 0 || bytes_.empty()) return;
    const std::size_t at = bytes_.size() - 1 - control_[6] % bytes_.size();
    stretched_ = std::string(bytes_.substr(0, at)) + std::string(times, bytes_[at]) + std::string(bytes_.substr(at));
    bytes_ = stretched_;
  }

  std::array<std::uint8_t, kControl> control_{};
  std::string stretched_;
  std::string_view bytes_;
};

} // namespace fuzz
