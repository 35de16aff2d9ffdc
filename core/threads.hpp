// How many threads parse.
// SPDX-License-Identifier: MIT
#pragma once

#include "error.hpp"

namespace marc {

// What the environment variable MARC_NUM_THREADS says; unset, empty or 0: usable_cpus(). 0 and a failure where it is no
// number from 0 to 1024.
unsigned thread_count(Failure &failure);

// The processors that this process may use: by its affinity, and by the CPU quota that its control groups had when this was
// first asked. At least 1.
unsigned usable_cpus();

} // namespace marc
