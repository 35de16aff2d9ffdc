// XML, by libexpat: bytes in any sizes -> elements and text, or the place where the bytes are no XML.
//
// Nothing is fetched, no entity but the five of XML is expanded, and what a document can make the parser remember is
// bounded: a tag without an end, a million names of elements, elements a thousand deep.
// SPDX-License-Identifier: MIT
#pragma once

#include "error.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>

struct XML_ParserStruct;

namespace marc {

class XmlParser;

// Who is told of the elements. What a member throws comes out of XmlParser::parse.
class XmlHandler {
public:
  virtual ~XmlHandler() = default;
  // `name`: the local name, without a prefix. `attributes`: name, value, name, value, ..., NULL; UTF-8, 0-terminated.
  virtual void start_element(XmlParser &parser, const char *name, const char **attributes) = 0;
  virtual void end_element(XmlParser &parser, const char *name) = 0;
  // A part of the text between two tags, in UTF-8.
  virtual void add_text(const char *text, std::size_t size) = 0;
};

class XmlParser {
public:
  // `memory`: bytes that the parser itself may hold.
  XmlParser(XmlHandler &handler, std::size_t memory);
  ~XmlParser();
  XmlParser(const XmlParser &) = delete;
  XmlParser &operator=(const XmlParser &) = delete;

  // Room for the next `size` bytes of the document, to be filled before parse(). NULL with a failure.
  std::uint8_t *make_room(std::size_t size, Failure &failure);
  // Reads the bytes that were put there, or goes on where pause() has stopped it. `final`: the document ends there.
  Failure parse(std::size_t size, bool final);
  Failure resume();
  // Called by a handler: parse() returns behind the tag at which it is.
  void pause();
  bool is_paused() const { return paused_; }

  // Where the tag at which a handler was called begins and ends, in bytes from the beginning of the document.
  std::uint64_t offset() const;
  std::uint64_t end_offset() const;

private:
  struct Callbacks;
  struct Memory {
    std::size_t left;
    bool short_of = false; // more was asked for than was left
  };
  struct Allocation;

  Failure outcome(int status);
  Failure not_well_formed(int code) const;
  Failure placed(Failure failure) const;
  void refuse(const char *why);
  template <typename Call> void call(Call handle) noexcept;

  XmlHandler &handler_;
  Memory memory_;
  XML_ParserStruct *parser_ = nullptr;
  std::size_t depth_ = 0;         // elements that are open
  bool paused_ = false;           // by pause()
  const char *refused_ = nullptr; // why the document is refused although it is XML
  std::exception_ptr exception_;  // that a handler has thrown
};

} // namespace marc
