// SPDX-License-Identifier: MIT
#include "source.hpp"

namespace marc {
namespace {

class MemorySource final : public Source {
public:
  explicit MemorySource(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  ReadResult read(std::uint8_t *, std::size_t) override { return {}; }
  std::uint64_t size() const override { return bytes_.size(); }
  std::optional<std::span<const std::uint8_t>> memory() const override { return bytes_; }

private:
  std::span<const std::uint8_t> bytes_;
};

} // namespace

std::unique_ptr<Source> open_memory(std::span<const std::uint8_t> bytes) {
  return std::make_unique<MemorySource>(bytes);
}

} // namespace marc
