// A batch: pieces of the input and the index of their fields, as a structure of arrays. Filled by the parser,
// immutable from the moment it is handed out.
// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.hpp"
#include "pod_array.hpp"

#include <marc/marc.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace marc {

class Recycler;
struct TextScratch;

// Bytes that were read from a source, shared by the batches that point into them.
struct Arena {
  explicit Arena(std::size_t size) : bytes(new std::uint8_t[size]), capacity(size) {}

  std::unique_ptr<std::uint8_t[]> bytes;
  std::size_t capacity;
  std::atomic<std::uint32_t> references{1};
};

struct Batch {
  Batch() = default;
  ~Batch(); // one reference less on its arena
  Batch(const Batch &) = delete;
  Batch &operator=(const Batch &) = delete;
  // Drops what it holds, keeps its memory.
  void clear();
  // Drops the fields that were added since the last whole record.
  void drop_open_fields();
  // Makes the fields added since the last record a record of `length` bytes at data[start].
  void add_record(std::size_t start, std::size_t length, std::int32_t status, std::uint32_t flags);
  // Gives the last record other flags.
  void set_flags(std::uint32_t flags);
  // Takes back the last record.
  void drop_record();
  // The batch to which the last record's text form is to be added, and where in it that has been. It is then its own.
  Batch &open_text();
  void close_text();
  // Once all records are there: record_text has one entry for each, if any of them has a text form.
  void finish();
  std::size_t size() const { return record_start.size(); }

  const std::uint8_t *data = nullptr; // of the first piece's bytes; into `arena`, or borrowed from the user
  std::size_t length = 0;             // up to the end of the last piece or silent byte
  std::uint64_t source_offset = 0;    // of data[0]
  std::uint64_t first_index = 0;      // of the first piece
  std::uint64_t silent = 0;           // bytes of data in no piece
  std::uint32_t all_flags = 0;        // of all records, combined by AND
  std::uint32_t earlier_flags = 0;    // the same without the last one
  std::uint32_t rejected = 0;

  PodArray<std::uint32_t> record_start;
  PodArray<std::uint32_t> record_length;
  PodArray<std::int32_t> record_status;
  PodArray<std::uint32_t> record_flags;
  PodArray<std::uint32_t> field_first; // one more than records
  PodArray<std::uint32_t> field_tag;
  PodArray<std::uint32_t> field_offset;
  PodArray<std::uint32_t> field_length;
  PodArray<std::uint32_t> subfield_first; // one more than fields
  PodArray<std::uint32_t> subfield_offset;
  PodArray<std::uint32_t> subfield_length;
  PodArray<marc_note> notes;
  // Of a source that is no ISO 2709, whose records have other bytes there; else empty.
  PodArray<std::uint64_t> place;             // where each piece begins in the source
  PodArray<std::uint64_t> extent;            // bytes that it has there
  PodArray<std::uint8_t> leaders;            // its leader as it stands there, 24 bytes each
  PodArray<std::uint64_t> scratch;           // of the parser
  std::shared_ptr<TextScratch> text_scratch; // of text_form, kept for its memory: threads wait for each other in malloc

  // Records whose text is not UTF-8 as it stands have a form of their own, in which it is: a record of this batch.
  static constexpr std::uint32_t kNoText = UINT32_MAX;
  std::unique_ptr<Batch> text;
  PodArray<std::uint32_t> record_text; // numbers there, or kNoText; it may end early, and is empty if there are none

  PodArray<std::uint8_t> own;     // the bytes, where the batch made them itself
  Arena *arena = nullptr;         // a reference, of `home`; NULL where the bytes are its own, or the user's
  std::shared_ptr<Recycler> home; // where its memory goes back to; NULL for a batch of its own
  mutable std::atomic<std::uint32_t> references{1};
};

// One reference less on a batch; the last one gives it back to its recycler, or deletes it.
void release(const Batch *batch);

} // namespace marc
