// SPDX-License-Identifier: MIT
#include "leader.hpp"

#include <cstring>

namespace marc {

bool read_leader(const std::uint8_t *at, Leader &leader) {
  if (!all_digits(at + 12, 5)) return false;
  count_steps(kLeaderSize);
  if (((block_masks(at).delimiter) | (block_masks(at + kLeaderSize - kBlock).delimiter)) != 0) return false;
  if (all_digits(at + 5, 4) && std::memcmp(at + 5, "00000", 5) != 0) return false;
  leader.base = decimal(at + 12, 5);
  leader.map = entry_map(at);
  const std::size_t width = leader.map.width();
  return leader.map.digits() >= 9 && leader.base >= kLeaderSize + 1 + width &&
         (leader.base - kLeaderSize - 1) % width == 0;
}

} // namespace marc
