// Fields as the bytes that they have in ISO 2709, collected from a walk or added one by one.
// SPDX-License-Identifier: MIT
#pragma once

#include "bytes.hpp"
#include "writer/layout.hpp"
#include "writer/output.hpp"
#include "writer/walk.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace marc {

class Contents {
public:
  void clear() { shrink(0, 0); }
  // Back to so many fields of so many bytes.
  void shrink(std::size_t count, std::size_t bytes) {
    tag_.shrink(count);
    length_.shrink(count);
    content_.shrink(bytes);
  }

  std::size_t count() const { return tag_.size(); }
  std::size_t bytes() const { return content_.size(); }
  Iso2709Fields fields() const {
    return {tag_.data(), length_.data(), tag_.size(), {content_.data(), content_.size()}};
  }

  // A field as it is, with its terminator.
  void add(std::uint32_t tag, Bytes content) {
    make_room(content.size(), 0);
    to_ = put(to_, content.data(), content.size());
    end_field(tag, content.size());
  }

  // Puts `head` and `bytes` behind the last field, before its terminator.
  void extend(Bytes head, Bytes bytes) {
    content_.reserve_more(head.size() + bytes.size());
    std::uint8_t *to = std::copy(head.begin(), head.end(), content_.end() - 1);
    *std::copy(bytes.begin(), bytes.end(), to) = kFieldEnd;
    content_.commit(head.size() + bytes.size());
    length_[count() - 1] += static_cast<std::uint32_t>(head.size() + bytes.size());
  }

  // For the walk.
  void make_room(std::size_t bytes, std::size_t) {
    tag_.reserve_more(1);
    length_.reserve_more(1);
    content_.reserve_more(bytes + 16); // missing indicators, the terminator
    to_ = content_.end();
  }

  void control(const Tag &tag, const Part &data) {
    put_part(data);
    close_field(tag.packed);
  }

  void open(const Tag &tag, const Part &first, const Part &second) {
    open_tag_ = tag.packed;
    put_part(first);
    put_part(second);
  }

  void subfield(const Part &code, const Part &value) {
    *to_++ = kSubfieldMark;
    put_part(code);
    put_part(value);
  }

  void close() { close_field(open_tag_); }

private:
  void put_part(const Part &part) { to_ = put(to_, part.data, part.size); }

  void close_field(std::uint32_t tag) {
    *to_++ = kFieldEnd;
    end_field(tag, static_cast<std::size_t>(to_ - content_.end()));
  }

  void end_field(std::uint32_t tag, std::size_t size) {
    tag_.push(tag);
    length_.push(static_cast<std::uint32_t>(size));
    content_.commit(size);
  }

  PodArray<std::uint32_t> tag_; // packed
  PodArray<std::uint32_t> length_;
  Output content_;
  std::uint8_t *to_ = nullptr; // where writing goes on, in a field
  std::uint32_t open_tag_ = 0;
};

} // namespace marc
