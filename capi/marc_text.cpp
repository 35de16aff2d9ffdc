// The C interface: conversion of MARC-8.
// SPDX-License-Identifier: MIT
#include <marc/marc.h>

#include "encoding/marc8_decode.hpp"
#include "encoding/marc8_encode.hpp"
#include "pod_array.hpp"
#include "shim.hpp"
#include "utf8.hpp"

#include <memory>

struct marc_conversion {
  marc::PodArray<std::uint8_t> text;
  marc::Marc8Findings findings;
  marc::Marc8State state;
  bool whole = true;
};

static_assert(sizeof(marc_finding) == sizeof(marc::Marc8Finding));

namespace {

using namespace marc::shim;

constexpr std::size_t kLargestText = std::size_t{1} << 30;

marc_marc8_options default_options() {
  marc_marc8_options options{};
  options.struct_size = sizeof options;
  options.rule = MARC_PARSE_PYMARC;
  options.g0 = marc::kAscii;
  options.g1 = marc::kAnsel;
  options.unmappable = MARC_UNMAPPABLE_ERROR;
  return options;
}

// The caller's options over the defaults; MARC_OK, or a status that has been reported.
std::int32_t read_options(const marc_marc8_options *given, marc_marc8_options &options, marc_error *error) {
  options = default_options();
  const std::int32_t status =
      take_options(given, options, "options.struct_size is unknown; use marc_marc8_options_init", error);
  if (status != MARC_OK) return status;
  if (options.rule > MARC_PARSE_BEST) return bad_argument(error, "options.rule is one of MARC_PARSE_...");
  if (options.unmappable > MARC_UNMAPPABLE_REPLACE)
    return bad_argument(error, "options.unmappable is one of MARC_UNMAPPABLE_...");
  return MARC_OK;
}

// Makes a conversion by `convert(options, conversion)`, which returns a status.
template <typename Convert>
std::int32_t convert(const std::uint8_t *data, std::size_t length, const marc_marc8_options *given,
                     marc_conversion **out, marc_error *error, Convert run) {
  if (out == nullptr) return bad_argument(error, "out is NULL");
  *out = nullptr;
  if (data == nullptr && length > 0) return bad_argument(error, "data is NULL");
  if (length > kLargestText) return bad_argument(error, "a text has at most 1 GiB");
  return guard(error, [&] {
    marc_marc8_options options{};
    std::int32_t status = read_options(given, options, error);
    if (status != MARC_OK) return status;
    auto conversion = std::make_unique<marc_conversion>();
    conversion->state = {options.g0, options.g1};
    status = run(options, *conversion);
    if (status == MARC_OK) *out = conversion.release();
    return status;
  });
}

} // namespace

void marc_marc8_options_init(marc_marc8_options *options, size_t size) {
  init_options(options, size, default_options());
}

int32_t marc_marc8_to_utf8(const uint8_t *data, size_t length, const marc_marc8_options *given, marc_conversion **out,
                           marc_error *error) {
  return convert(data, length, given, out, error, [&](const marc_marc8_options &options, marc_conversion &conversion) {
    marc::Marc8Decoder decoder(static_cast<marc::Marc8Rule>(options.rule));
    conversion.whole = decoder.decode(data, length, conversion.state, conversion.text, conversion.findings);
    return std::int32_t{MARC_OK};
  });
}

int32_t marc_utf8_to_marc8(const uint8_t *data, size_t length, const marc_marc8_options *given, marc_conversion **out,
                           marc_error *error) {
  return convert(data, length, given, out, error, [&](const marc_marc8_options &options, marc_conversion &conversion) {
    if (!marc::is_utf8(data, length)) return bad_argument(error, "the text is no UTF-8");
    conversion.state = {};
    marc::Marc8Encoder encoder(static_cast<marc::Unmappable>(options.unmappable));
    if (encoder.encode(data, length, conversion.text, conversion.findings)) return std::int32_t{MARC_OK};
    const marc::Marc8Finding &lost = conversion.findings[conversion.findings.size() - 1];
    return report(MARC_E_UNMAPPABLE, marc::code_message(MARC_E_UNMAPPABLE), error, lost.code, -1,
                  static_cast<std::int64_t>(lost.offset));
  });
}

void marc_conversion_get_view(const marc_conversion *conversion, marc_conversion_view *out) {
  if (out == nullptr) return;
  if (conversion == nullptr) return give(marc_conversion_view{}, out);
  marc_conversion_view view{};
  view.finding_count = static_cast<std::uint32_t>(conversion->findings.size());
  view.data = conversion->text.data();
  view.data_length = conversion->text.size();
  view.findings = reinterpret_cast<const marc_finding *>(conversion->findings.data());
  view.g0 = conversion->state.g0;
  view.g1 = conversion->state.g1;
  view.stopped = conversion->whole ? 0 : 1;
  give(view, out);
}

void marc_conversion_free(marc_conversion *conversion) { delete conversion; }
