// What a stream of MARCXML gives, in words.
// SPDX-License-Identifier: MIT
#pragma once

#include "batches.hpp"
#include "make.hpp"
#include "reading.hpp"
#include "xml_stream.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace test {

struct Read {
  std::vector<std::string> records; // what a batch says of each, and its place
  marc::Failure failure;            // at the end
};

inline void add(std::vector<std::string> &records, const marc::Batch &batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::string leader = text_of(batch.leaders.data() + 24 * i, 24);
    records.push_back(std::to_string(batch.first_index + i) + " @" + std::to_string(batch.place[i]) + "+" +
                      std::to_string(batch.extent[i]) + " " + leader + " " + piece_text(batch, i));
  }
}

inline Read read_all(marc::BatchStream &stream) {
  Read read;
  for (;;) {
    marc::Failure failure;
    const Handed batch(stream.next(failure).release());
    if (batch != nullptr) add(read.records, *batch);
    if (batch == nullptr && failure.code != MARC_E_INTERRUPTED) {
      read.failure = failure;
      return read;
    }
  }
}

inline Read read_in(const std::string &document, std::size_t size, const marc::XmlOptions &options = {}) {
  Log log;
  marc::XmlStream stream(scripted(document, pieces_of(size), log), options);
  return read_all(stream);
}

inline Read read_xml(const std::string &document, const marc::XmlOptions &options = {}) {
  marc::XmlStream stream(marc::open_memory({bytes_of(document), document.size()}), options);
  return read_all(stream);
}

} // namespace test
