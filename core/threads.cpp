// SPDX-License-Identifier: MIT
#include "threads.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace marc {
namespace {

constexpr unsigned kMostThreads = 1024;

#if defined(__linux__)
unsigned processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  // (Fails where there are more than 1024 processors.)
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<unsigned>(CPU_COUNT(&set));
  return std::thread::hardware_concurrency();
}

// Processors that a quota in microseconds for each period stands for; no limit where either is no number.
unsigned by_quota(const std::string &quota, const std::string &period) {
  const double part = std::strtod(quota.c_str(), nullptr) / std::max(std::strtod(period.c_str(), nullptr), 1.0);
  return part > 0 ? static_cast<unsigned>(std::min(part + 0.999, double{kMostThreads})) : kMostThreads;
}

std::string first_word(const std::string &path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// The quota of the control group `group` and of those above it: of a hierarchy of version 2, or the one of version 1.
unsigned group_quota(std::string group, bool unified) {
  unsigned most = kMostThreads;
  for (;;) {
    if (unified) {
      std::ifstream file("/sys/fs/cgroup" + group + "/cpu.max");
      std::string quota;
      std::string period;
      if (file >> quota >> period) most = std::min(most, by_quota(quota, period));
    } else {
      const std::string folder = "/sys/fs/cgroup/cpu" + group;
      most =
          std::min(most, by_quota(first_word(folder + "/cpu.cfs_quota_us"), first_word(folder + "/cpu.cfs_period_us")));
    }
    if (group.empty()) return most;
    group.erase(group.find_last_of('/'));
  }
}

unsigned quota() {
  unsigned most = std::min(group_quota("", true), group_quota("", false)); // inside a container these are its own
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) { // 4:cpu,cpuacct:/group, or 0::/group
    std::istringstream parts(line);
    std::string number;
    std::string controllers;
    std::string group;
    std::getline(std::getline(parts, number, ':'), controllers, ':');
    std::getline(parts, group);
    const bool has_cpu = ("," + controllers + ",").find(",cpu,") != std::string::npos;
    if (group.size() > 1 && group[0] == '/' && (controllers.empty() || has_cpu))
      most = std::min(most, group_quota(group, controllers.empty()));
  }
  return most;
}
#else
unsigned processors() { return std::thread::hardware_concurrency(); }
unsigned quota() { return kMostThreads; }
#endif

} // namespace

unsigned usable_cpus() {
  static const unsigned kQuota = quota(); // some files to read: once
  return std::clamp(std::min(processors(), kQuota), 1U, kMostThreads);
}

unsigned thread_count(Failure &failure) {
  const char *text = std::getenv("MARC_NUM_THREADS");
  if (text == nullptr || *text == 0) return usable_cpus();
  unsigned count = 0;
  const char *end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, count);
  if (error != std::errc{} || at != end || count > kMostThreads) {
    failure = {MARC_E_ARGUMENT, 0,
               "MARC_NUM_THREADS is a number of threads from 0 to 1024, not \"" + std::string(text).substr(0, 100) +
                   '"'};
    return 0;
  }
  return count == 0 ? usable_cpus() : count;
}

} // namespace marc
