// How fast the scanner alone finds the records of a file that is in memory. Prints one line of JSON with the CPU
// seconds of each round and what was found.
//
// usage: bench_scanner FILE [ROUNDS]
//
// SPDX-License-Identifier: MIT
#include "scanner.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <vector>

namespace {

constexpr std::size_t kLargest = 64 << 20; // the default of marc_reader_options.largest_record

struct Totals {
  std::size_t records = 0, chunks = 0, silent = 0;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

Totals scan(const std::vector<char> &content) {
  const auto *data = reinterpret_cast<const std::uint8_t *>(content.data());
  marc::Scanner scanner(kLargest);
  Totals totals;
  std::size_t at = 0;
  for (;;) {
    const marc::Piece piece = scanner.next(data + at, content.size() - at, true);
    at += piece.length;
    switch (piece.kind) {
    case marc::PieceKind::Record:
      ++totals.records;
      break;
    case marc::PieceKind::Chunk:
      ++totals.chunks;
      break;
    case marc::PieceKind::Silent:
      totals.silent += piece.length;
      break;
    case marc::PieceKind::More:
      break;
    case marc::PieceKind::NeedMore: // never, where no bytes follow
    case marc::PieceKind::End:
      return totals;
    }
  }
}

} // namespace

int main(int argc, char **argv) {
  const unsigned long rounds = argc == 3 ? std::strtoul(argv[2], nullptr, 10) : 1;
  if (argc < 2 || argc > 3 || rounds == 0) {
    std::fprintf(stderr, "usage: bench_scanner FILE [ROUNDS]\n");
    return 2;
  }
  std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
  if (!file) {
    std::perror(argv[1]);
    return 2;
  }
  std::vector<char> content(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));

  Totals totals;
  std::printf("{\"cpu_seconds\": [");
  for (unsigned long round = 0; round < rounds; ++round) {
    const double begin = cpu_seconds();
    totals = scan(content);
    std::printf("%s%.6f", round == 0 ? "" : ", ", cpu_seconds() - begin);
  }
  std::printf("], \"records\": %zu, \"chunks\": %zu, \"silent\": %zu, \"bytes\": %zu}\n", totals.records, totals.chunks,
              totals.silent, content.size());
  return 0;
}
