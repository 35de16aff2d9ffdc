// A file of tests/fixtures/generate.py and its boundary map: the pieces that it was made of.
// SPDX-License-Identifier: MIT
#pragma once

#include "boundary_rule.hpp"

#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

struct Fixture {
  std::string data;
  std::vector<Part> pieces;
};

inline std::string file_content(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path + " (ctest makes it)");
  return {std::istreambuf_iterator<char>(in), {}};
}

// The map has a piece a line, such as ["record", 0, 1540].
inline std::vector<Part> pieces_of_map(const std::string &path) {
  static const std::map<std::string, marc::PieceKind> kKinds{
      {"record", marc::PieceKind::Record}, {"chunk", marc::PieceKind::Chunk}, {"silent", marc::PieceKind::Silent}};
  static const std::regex kLine(R"re(\["([a-z]+)", (\d+), (\d+)\],?)re");
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path + " (ctest makes it)");
  std::vector<Part> pieces;
  std::smatch match;
  for (std::string line; std::getline(in, line);)
    if (std::regex_match(line, match, kLine))
      pieces.push_back({kKinds.at(match[1]), std::stoul(match[2]), std::stoul(match[3])});
  return pieces;
}

inline Fixture fixture(const std::string &name) {
  const std::string path = std::string(LIBMARC_FIXTURES) + "/" + name;
  return {file_content(path + ".mrc"), pieces_of_map(path + ".json")};
}

} // namespace test
