// Runs a fuzz target without libFuzzer: on every file of the folders that are named, then on mutations of these files,
// the same ones in every run.
//
// usage: replay_TARGET MUTATIONS FOLDER-OR-FILE...
// SPDX-License-Identifier: MIT
#include "fuzzing.hpp"

#include "../core/make.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace {

// Larger than any file of the corpus, so that mutations can make records longer.
constexpr std::size_t kMostBytes = 8192;

test::Random blind(1);

std::string read_file(const std::filesystem::path &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path &named) {
  if (!std::filesystem::is_directory(named)) return {named};
  std::vector<std::filesystem::path> files;
  for (const auto &entry : std::filesystem::directory_iterator(named)) files.push_back(entry.path());
  std::sort(files.begin(), files.end()); // folders have no order of their own
  return files;
}

std::string hex_of(const std::string &bytes) {
  std::string text;
  for (const char byte : bytes) {
    static constexpr const char *kDigits = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

// Whether the target finds nothing. The copy has nothing behind its last byte.
bool passes(const std::string &bytes, const std::string &name) {
  try {
    const test::Exact copy(bytes);
    LLVMFuzzerTestOneInput(copy.data(), copy.size());
    return true;
  } catch (const std::exception &problem) {
    std::fprintf(stderr, "%s: %s\n%s\n", name.c_str(), problem.what(), hex_of(bytes).c_str());
    return false;
  }
}

// What libFuzzer hands to its own mutator from time to time, and a second file to mix with.
std::string mutation(const std::vector<std::string> &corpus, std::uint32_t number) {
  test::Random random(number);
  blind = test::Random(number);
  std::string bytes = corpus[random.below(corpus.size())];
  for (std::size_t round = random.between(1, 4); round > 0; --round) {
    const std::string &other = corpus[random.below(corpus.size())];
    const auto seed = static_cast<std::uint32_t>(random.below(1U << 31));
    std::string room(std::max(kMostBytes, bytes.size()), '\0');
    auto *out = reinterpret_cast<std::uint8_t *>(room.data());
    if (random.one_in(8)) {
      room.resize(LLVMFuzzerCustomCrossOver(test::bytes_of(bytes), bytes.size(), test::bytes_of(other), other.size(),
                                            out, room.size(), seed));
    } else {
      std::copy(bytes.begin(), bytes.end(), room.begin());
      room.resize(LLVMFuzzerCustomMutator(out, bytes.size(), room.size(), seed));
    }
    bytes = room;
  }
  return bytes;
}

} // namespace

// One byte more, less, or another one.
std::size_t LLVMFuzzerMutate(std::uint8_t *data, std::size_t size, std::size_t max_size) {
  if (size < max_size && (size == 0 || blind.one_in(3))) {
    const std::size_t at = blind.below(size + 1);
    std::copy_backward(data + at, data + size, data + size + 1);
    data[at] = static_cast<std::uint8_t>(blind.below(256));
    return size + 1;
  }
  const std::size_t at = blind.below(size);
  if (blind.one_in(2)) {
    std::copy(data + at + 1, data + size, data + at);
    return size - 1;
  }
  data[at] = static_cast<std::uint8_t>(blind.below(256));
  return size;
}

int main(int count, char **arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: %s MUTATIONS FOLDER-OR-FILE...\n", arguments[0]);
    return 2;
  }
  std::vector<std::string> corpus;
  bool good = true;
  for (int i = 2; i < count; ++i) {
    for (const std::filesystem::path &file : files_of(arguments[i])) {
      corpus.push_back(read_file(file));
      good &= passes(corpus.back(), file.string());
    }
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "there is no file to replay\n");
    return 1;
  }
  const auto mutations = static_cast<std::uint32_t>(std::strtoul(arguments[1], nullptr, 10));
  for (std::uint32_t number = 0; good && number < mutations; ++number)
    good = passes(mutation(corpus, number), "mutation " + std::to_string(number));
  std::printf("%zu files and %u mutations\n", corpus.size(), static_cast<unsigned>(mutations));
  return good ? 0 : 1;
}
