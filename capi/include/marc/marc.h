/* libmarc: reads and writes MARC records. The whole public C interface.
 *
 * SPDX-License-Identifier: MIT
 *
 * Conventions
 * -----------
 * Names      marc_<thing>_<verb>; handles are opaque and typed; macros begin with MARC_.
 * Status     Functions that can fail return int32_t: 0 is MARC_OK, a positive value is not an error (MARC_END),
 *            a negative one is (MARC_E_...). Damaged data is never a failure of a call: it is the status of that
 *            record inside its batch, at its place in the stream (MARC_BAD_...).
 * Errors     The last argument is a `marc_error *` of the caller, NULL if not wanted. It is written only when the
 *            call fails; there is nothing to free and no thread-local state.
 * Ownership  What comes through a `**out` argument is yours: free it with the function of its type. What is returned,
 *            or stands in a view, is borrowed from its batch and lives as long as the batch has a reference.
 *            Nothing from this library is freed with free().
 * Threads    Functions that take `const T *` may run concurrently on the same object. Functions that take `T *` need
 *            exclusive use; a reader or writer in use on another thread answers MARC_E_BUSY. marc_reader_cancel,
 *            marc_batch_retain and marc_batch_release are always safe. Batches are immutable, go to any thread and
 *            outlive their reader. Readers and writers do not survive fork(): in the child they answer MARC_E_FORKED.
 * Units      Offsets and lengths count bytes. `byte_offset` is absolute, in the source, from 0. Record indexes count
 *            from 0 and include rejected pieces.
 * Versions   Structs that the caller allocates begin with struct_size and have an init function; members are only
 *            ever added at their end. Codes are only ever appended.
 */
#ifndef MARC_MARC_H
#define MARC_MARC_H

#include <stddef.h>
#include <stdint.h>

/* The one source of the version; the build reads it from here. */
#define MARC_VERSION_MAJOR 0
#define MARC_VERSION_MINOR 1
#define MARC_VERSION_PATCH 0
#define MARC_ABI_VERSION 0

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* The declarations between the two marker comments are read by cffi as they stand: no preprocessor, no attributes. */
/* [marc-abi-begin] */

/* ---- 1. Codes ------------------------------------------------------------------------------------------------- */

/* Status of a call. */
enum {
  MARC_OK = 0,               /* done */
  MARC_END = 1,              /* no further batch; not an error, stays so without further I/O */
  MARC_E_ARGUMENT = -1,      /* an argument is NULL, out of its range, or a struct_size is unknown */
  MARC_E_NOMEM = -2,         /* memory could not be allocated */
  MARC_E_IO = -3,            /* opening, reading or writing failed; detail holds errno */
  MARC_E_CALLBACK = -4,      /* the callback failed; detail holds the value that it returned */
  MARC_E_CANCELLED = -5,     /* marc_reader_cancel was called */
  MARC_E_BUSY = -6,          /* the reader or writer is in use on another thread, or inside its own callback */
  MARC_E_FORKED = -7,        /* the reader or writer was made in the parent of this process */
  MARC_E_INTERRUPTED = -8,   /* for now only: MARC_READ_INTERRUPTED, or options.interruptible; the next call goes on */
  MARC_E_UNSUPPORTED = -9,   /* what this source or format cannot do, such as byte ranges of a pipe */
  MARC_E_INTERNAL = -10,     /* a defect of the library; the message says where */
  MARC_E_UNMAPPABLE = -11,   /* MARC-8 does not have a character; byte_offset or tag says where it stands, detail holds it */
  MARC_E_TOO_LARGE = -12,    /* a field or record larger than ISO 2709 can state; tag says which, detail its bytes */
  MARC_E_UNWRITABLE = -13,   /* something that the format cannot hold, where the options refuse it; tag says where */
  MARC_E_FORMAT = -14        /* the source is not in options.format, or broken there; detail: number of the XML parser */
};

/* Status of a piece of the input (marc_batch_view.record_status). MARC_OK: a record. Otherwise the piece was rejected,
 * with the verdict that pymarc gives to the same bytes. */
enum {
  MARC_BAD_LENGTH = -101,            /* leader/00-04 is no number */
  MARC_BAD_TRUNCATED = -102,         /* the input ends before the length that the leader states */
  MARC_BAD_END_NOT_FOUND = -103,     /* no record terminator (0x1D) where the stated length ends */
  MARC_BAD_LEADER = -104,            /* fewer than 24 bytes */
  MARC_BAD_LEADER_TEXT = -105,       /* the leader holds a byte above 0x7F */
  MARC_BAD_BASE_NUMBER = -106,       /* leader/12-16, base address of data, is no number */
  MARC_BAD_BASE_MISSING = -107,      /* the base address is zero or negative */
  MARC_BAD_BASE_RANGE = -108,        /* the base address lies behind the record */
  MARC_BAD_DIRECTORY = -109,         /* the directory is not a whole number of 12-byte entries */
  MARC_BAD_DIRECTORY_TEXT = -110,    /* the directory holds a byte above 0x7F */
  MARC_BAD_DIRECTORY_NUMBER = -111,  /* a field length or starting position in the directory is no number */
  MARC_BAD_NO_FIELDS = -112,         /* the directory is empty */
  MARC_BAD_INDICATOR_TEXT = -113,    /* an indicator holds a byte above 0x7F */
  MARC_BAD_TEXT = -114,              /* leader/09 says UTF-8 and a field or subfield is not valid UTF-8 */
  MARC_BAD_OVERSIZE = -115,          /* larger than marc_reader_options.largest_record; the bytes come in parts */
  MARC_BAD_OVERSIZE_PART = -116,     /* a further part of the piece before: same rejection, no error of its own */
  MARC_BAD_CUT = -117,               /* the source failed before the piece was complete (marc_reader_get_rest) */
  MARC_BAD_OVERLAP = -118,           /* fields that overlap so much that they have more than 32 times its bytes */
  MARC_BAD_ESCAPE = -119,            /* a subfield in MARC-8 that ends within an escape sequence */
  MARC_BAD_GZIP = -121,              /* no MARC: the input begins like data compressed by gzip */
  MARC_BAD_BZIP2 = -122,             /* no MARC: the input begins like data compressed by bzip2 */
  MARC_BAD_XZ = -123,                /* no MARC: the input begins like data compressed by xz */
  MARC_BAD_ZSTD = -124,              /* no MARC: the input begins like data compressed by zstd */
  MARC_BAD_ZIP = -125,               /* no MARC: the input begins like a zip archive */
  MARC_BAD_XML = -126,               /* no ISO 2709: the input begins like XML */
  MARC_BAD_HTML = -127,              /* no MARC: the input begins like an HTML page */
  MARC_BAD_JSON = -128,              /* no ISO 2709: the input begins like JSON */
  MARC_BAD_MARCMAKER = -129,         /* no ISO 2709: the input begins like MARCMaker text */
  MARC_BAD_UTF16 = -130              /* no ISO 2709: the input begins like text in UTF-16 */
};

/* Deviations from ISO 2709 / MARC 21 inside a delivered record (marc_note.code). */
enum {
  MARC_NOTE_FRAMING = 201,           /* length, terminators or directory do not agree; read as pymarc reads it */
  MARC_NOTE_DIRECTORY_EXTENT = 202,  /* fields overlap, or leave bytes that belong to no field */
  MARC_NOTE_FIELD_END = 203,         /* a field does not end in a field terminator (0x1E) where its entry says */
  MARC_NOTE_FIELD_RANGE = 204,       /* an entry points outside the record; the field was clipped */
  MARC_NOTE_INNER_TERMINATOR = 205,  /* a terminator (0x1D or 0x1E) inside a field */
  MARC_NOTE_INDICATORS_MISSING = 206, /* no indicators; two blanks are assumed */
  MARC_NOTE_INDICATOR_ONE = 207,     /* one indicator only; a blank is added */
  MARC_NOTE_INDICATORS_MANY = 208,   /* more than two bytes before the first subfield; the rest is passed over */
  MARC_NOTE_SUBFIELD_EMPTY = 209,    /* a subfield delimiter (0x1F) without a code behind it */
  MARC_NOTE_SUBFIELD_CODE = 210,     /* a subfield code above 0x7F */
  /* from here on with MARC_PARSE_BEST only */
  MARC_NOTE_TEXT = 211,              /* leader/09 says UTF-8 and a field is not valid UTF-8 */
  MARC_NOTE_INDICATOR_TEXT = 212,    /* an indicator above 0x7F; kept */
  MARC_NOTE_LEADER_TEXT = 213,       /* the leader holds a byte above 0x7F; kept */
  MARC_NOTE_LEADER_SIZE = 214,       /* there are not 24 bytes of leader before the directory */
  MARC_NOTE_LENGTH = 215,            /* leader/00-04 is not the length of the record */
  MARC_NOTE_RECORD_END = 216,        /* the record terminator (0x1D), or the field terminator before it, is missing */
  MARC_NOTE_BASE = 217,              /* leader/12-16 is not the base address of data; found by the directory's 0x1E */
  MARC_NOTE_ENTRY_MAP = 218,         /* the entries of the directory have not the widths that leader/20-22 state */
  MARC_NOTE_ENTRY = 219,             /* a directory entry is damaged; its tag and field are the best guess */
  MARC_NOTE_FIELD_PLACE = 220,       /* a field is not where its entry says; found by its terminators */
  MARC_NOTE_FIELD_LOST = 221,        /* an entry whose field is not there; left out */
  /* from here on in MARC_FORMAT_MARCXML only */
  MARC_NOTE_LEADER_LENGTH = 222,     /* the leader has not 24 characters; blanks were taken off or added, or it was cut */
  MARC_NOTE_ATTRIBUTE = 223,         /* a tag, indicator or code is missing or not of its length; a longer code is kept */
  MARC_NOTE_FIELD_KIND = 224,        /* a control field under the tag of a data field, or the reverse */
  MARC_NOTE_MISPLACED = 225,         /* text or an element of MARCXML where it means nothing; passed over */
  MARC_NOTE_NO_FIELDS = 226,         /* a record without fields */
  /* text of ISO 2709, in both modes */
  MARC_NOTE_UNMAPPED = 227,          /* bytes that are no character in MARC-8; a blank, or U+FFFD (MARC_PARSE_BEST) */
  MARC_NOTE_ORPHAN_MARK = 228,       /* a combining mark without a letter; left out, or on a blank (MARC_PARSE_BEST) */
  MARC_NOTE_UTF8 = 229,              /* leader/09 does not say UTF-8, and the text is; read so by MARC_PARSE_BEST only */
  /* with MARC_PARSE_BEST only */
  MARC_NOTE_MARC8 = 230,             /* leader/09 says UTF-8, and the text is MARC-8; read as that */
  MARC_NOTE_LATIN1 = 231             /* the text is neither UTF-8 nor MARC-8; read as Latin-1 */
};

/* marc_batch_view.record_flags */
enum {
  MARC_REC_SOUND = 1,        /* framed by its own length, directory and terminators (docs/boundary-rule.md) */
  MARC_REC_SPLITS = 2,       /* sound, entry map 4500, fields in order without gaps and without inner terminators:
                                splitting data[base address:] at 0x1E gives the fields in directory order */
  MARC_REC_PLAIN = 4,        /* SPLITS, and each data field has two ASCII indicators and ASCII subfield codes */
  MARC_REC_CANONICAL = 8,    /* PLAIN, leader/09 'a', no empty subfield: serialising the fields gives these bytes */
  MARC_REC_UTF8 = 16,        /* leader/09 is 'a' */
  MARC_REC_NONASCII = 32,    /* a field holds a byte above 0x7F or, without leader/09 'a', an ESC (0x1B) */
  MARC_REC_NOTED = 64,       /* a delivered record with at least one note */
  MARC_REC_REPAIRED = 128,   /* MARC_PARSE_BEST: damaged, and read as well as it can be; notes say what was done */
  MARC_REC_INDICATORS = 256, /* MARC_PARSE_BEST: data fields have as many indicators as leader/10 says, not 2 */
  MARC_REC_CODES = 512,      /* MARC_PARSE_BEST: subfield codes are as long as leader/11 says (0x1F counted), not 2 */
  MARC_REC_CONVERTED = 1024, /* its text is not UTF-8 as it stands; record_text has the number of its text form */
  MARC_REC_LEADER = 4096     /* record_leader of the view is not the leader in the bytes */
};

/* marc_reader_options.parse_mode: who is asked what a damaged record means. */
enum {
  MARC_PARSE_PYMARC = 0,     /* the answer of pymarc 5.4: a record, or its reason for rejecting it */
  MARC_PARSE_BEST = 1        /* the best reading: repaired where possible, else the answer of pymarc */
};

/* marc_reader_options.text_mode: how text is read. */
enum {
  MARC_TEXT_BY_LEADER = 0,   /* leader/09 'a': UTF-8, else MARC-8 (MARC_PARSE_BEST: whatever it is, for each record) */
  MARC_TEXT_UTF8 = 1,        /* all text is UTF-8, whatever leader/09 says */
  MARC_TEXT_RAW = 2          /* text is bytes: nothing is converted, checked or rejected for it */
};

/* marc_marc8_options.unmappable: what becomes of a character that MARC-8 does not have. */
enum {
  MARC_UNMAPPABLE_ERROR = 0,     /* the call fails: MARC_E_UNMAPPABLE */
  MARC_UNMAPPABLE_REFERENCE = 1, /* it is written as &#xHHHH; */
  MARC_UNMAPPABLE_REPLACE = 2    /* it is written as ? */
};

/* marc_finding.kind */
enum {
  MARC_FINDING_UNMAPPED = 1, /* bytes that mean nothing in the set in use, or a character that MARC-8 does not have */
  MARC_FINDING_CUT = 2,      /* the text ends within the three bytes of a character; code is a blank */
  MARC_FINDING_ESCAPE = 3,   /* an escape sequence that is cut, or leads to no set that is known */
  MARC_FINDING_ORPHAN = 4    /* a mark (code is the Unicode character) behind which no base stands */
};

/* Where a piece that is parsed alone stands (marc_parse_record). */
enum {
  MARC_PIECE_ALONE = 0,      /* nowhere: it is the record; no terminator is looked for, but it must hold the length in its leader */
  MARC_PIECE_FOLLOWED = 1,   /* in an input, and bytes follow it */
  MARC_PIECE_LAST = 2        /* in an input, and it is the last */
};

/* marc_writer_options.format, and marc_reader_options.format for the first two */
enum {
  MARC_FORMAT_ISO2709 = 0,   /* records in ISO 2709 */
  MARC_FORMAT_MARCXML = 1,   /* MARCXML; written in UTF-8, a record a line */
  MARC_FORMAT_JSON = 2,      /* an array of MARC-in-JSON in UTF-8, a record a line */
  MARC_FORMAT_NDJSON = 3,    /* MARC-in-JSON in UTF-8, a record a line, and nothing else */
  MARC_FORMAT_MRK = 4        /* lines of MARCMaker in UTF-8, with mnemonics; an empty line between records */
};

/* marc_writer_options.encoding */
enum {
  MARC_ENCODING_UTF8 = 0,    /* UTF-8 */
  MARC_ENCODING_MARC8 = 1    /* MARC-8; of ISO 2709 only */
};

/* marc_writer_options.refuse: what is MARC_E_UNWRITABLE. */
enum {
  MARC_REFUSE_ODD = 1,       /* ISO 2709: terminators (0x1D, 0x1E) inside fields, tags that are not three letters or digits */
  MARC_REFUSE_CHARACTERS = 2 /* MARCXML: characters that XML 1.0 cannot hold; else they become U+FFFD */
};

/* How marc_batch_json writes. */
enum {
  MARC_JSON_PYMARC = 0,        /* as Python's json.dumps(record.as_dict()): ASCII, a blank after , and : */
  MARC_JSON_COMPACT_ASCII = 1, /* ASCII without blanks, as pymarc's JSONWriter */
  MARC_JSON_COMPACT = 2        /* UTF-8 without blanks */
};

/* How marc_batch_xml writes. */
enum {
  MARC_XML_PYMARC = 0,           /* as pymarc's record_to_xml: ASCII, with references for all other characters */
  MARC_XML_PYMARC_NAMESPACE = 1, /* the same with namespace=True */
  MARC_XML_UTF8 = 2,             /* UTF-8, the attributes of a data field in the order tag, ind1, ind2 */
  MARC_XML_PYMARC_UTF8 = 3       /* UTF-8, as pymarc's XMLWriter */
};

/* How marc_batch_mrk writes. */
enum {
  MARC_MRK_PYMARC = 0,    /* as pymarc's str(record); $, braces and backslashes in data can be misread */
  MARC_MRK_MNEMONICS = 1  /* with {dollar}, {lcub}, {rcub}, {bsol}, {0xHH}: every record can be read back */
};

/* What becomes of a record that is larger than ISO 2709 can state: a field of more than 9 999 bytes with its terminator, a
 * record of more than 99 999. */
enum {
  MARC_OVERSIZE_ERROR = 0, /* MARC_E_TOO_LARGE */
  MARC_OVERSIZE_ZEROS = 1, /* what cannot be stated is 0; MARC_PARSE_BEST reads it, by the terminators */
  MARC_OVERSIZE_SPLIT = 2  /* several records, each with the leader, all control fields and as many of the other fields as
                              it holds; a field that is too large is MARC_E_TOO_LARGE */
};

/* marc_reader_info.backend */
enum {
  MARC_BACKEND_FILE = 1,
  MARC_BACKEND_MEMORY = 2,
  MARC_BACKEND_CALLBACK = 3,
  MARC_BACKEND_READ_AT = 4
};

/* marc_reader_options.read_ahead. How many threads parse says the environment variable MARC_NUM_THREADS when a reader is
 * opened: 0, or unset, stands for the processors that this process may use; with 1 nothing is read ahead. */
enum {
  MARC_AHEAD_AUTO = 0,     /* as MARC_AHEAD_THREADS; as MARC_AHEAD_NONE from a pipe, a device or a read callback, where a
                              read may wait for bytes while complete records wait to be handed out */
  MARC_AHEAD_NONE = -1,    /* nothing is read before it is asked for, and all is done on the caller's thread */
  MARC_AHEAD_THREADS = -2  /* as many as keep the threads busy */
};

/* Values of a read callback below zero that have a meaning; every other one below zero is a failure. */
enum { MARC_READ_INTERRUPTED = -2147483647 };

/* ---- 2. Structs ----------------------------------------------------------------------------------------------- */

/* Opaque handles. */
typedef struct marc_reader marc_reader; /* exclusive use; free with marc_reader_free */
typedef struct marc_batch marc_batch;   /* immutable, reference counted; give back with marc_batch_release */
typedef struct marc_text marc_text;     /* immutable; free with marc_text_free */
typedef struct marc_conversion marc_conversion; /* immutable; free with marc_conversion_free */
typedef struct marc_builder marc_builder; /* exclusive use; free with marc_builder_free */
typedef struct marc_writer marc_writer; /* exclusive use; free with marc_writer_free */

/* Why a call failed. Set struct_size with marc_error_init. */
typedef struct marc_error {
  uint32_t struct_size;
  int32_t code;         /* MARC_E_... */
  int64_t detail;       /* errno (MARC_E_IO) or the value of the callback (MARC_E_CALLBACK), else 0 */
  int64_t record_index; /* index of the piece at which reading stopped, or -1 */
  int64_t byte_offset;  /* absolute offset at which reading stopped, or -1 */
  char tag[4];          /* tag of the field concerned, or "" */
  char message[256];    /* one line of UTF-8, 0-terminated */
  int64_t line;         /* of the place in a text (MARC_E_FORMAT), from 1; else 0 */
  int64_t column;       /* from 1 */
} marc_error;

/* How to read. Fill with marc_reader_options_init, then change members. */
typedef struct marc_reader_options {
  uint32_t struct_size;
  uint32_t parse_mode;     /* MARC_PARSE_...; default MARC_PARSE_PYMARC */
  uint32_t chunk_bytes;    /* bytes that are asked from the source at once; 64 to 1 GiB; default 512 KiB */
  uint32_t batch_records;  /* most pieces in a batch; 0, the default: as many as a chunk holds */
  uint64_t largest_record; /* bytes; a damaged piece above it is rejected in parts as it streams by; 1 byte to 3 GiB;
                              default 64 MiB */
  uint32_t interruptible;  /* 1: a call that waits for a pipe or FIFO (a path) returns MARC_E_INTERRUPTED when a signal
                              comes (EINTR), or else a few times a second, and the next call goes on; 0, the default:
                              it waits until there are bytes */
  uint32_t text_mode;      /* MARC_TEXT_...; default MARC_TEXT_BY_LEADER */
  uint64_t range_begin;    /* only pieces of the source that begin in [range_begin, range_end) are read, so that ranges */
  uint64_t range_end;      /* without gaps give together what one reader gives; their indexes count from 0. Default 0 and
                              UINT64_MAX. ISO 2709, of a source that can be positioned, else MARC_E_UNSUPPORTED. */
  uint32_t format;         /* MARC_FORMAT_...; default MARC_FORMAT_ISO2709 */
  int32_t read_ahead;      /* chunks that are read before they are asked for, so that other threads can parse them; 1 to
                              65536, or MARC_AHEAD_...; default MARC_AHEAD_AUTO */
} marc_reader_options;

/* What a reader has done so far. */
typedef struct marc_reader_info {
  uint32_t struct_size;
  uint32_t backend;        /* MARC_BACKEND_... */
  uint64_t bytes_read;     /* taken from the source */
  uint64_t source_reads;   /* reads of the source, or calls of the callback */
  uint64_t pieces;         /* records and rejected pieces in the batches handed out */
  uint64_t silent_bytes;   /* bytes between records that say nothing (blanks, newlines, NUL, ...) */
  uint32_t threads;        /* that parse: 1 until there is more than the first batch to be read ahead */
  uint32_t chunks_ahead;   /* most chunks that were read and not handed out */
  uint64_t bytes_held;     /* most bytes of a source that is no memory in memory, those of batches in use included */
  uint64_t wait_source;    /* nanoseconds inside reads of the source, or its callback */
  uint64_t wait_workers;   /* nanoseconds that marc_reader_next_batch waited for a batch to be made by other threads */
  uint64_t wait_consumer;  /* nanoseconds that the next batch was there and nobody asked for it */
} marc_reader_info;

/* A deviation that was found in a piece, or the place that made it be rejected. */
typedef struct marc_note {
  uint32_t record; /* number of the piece in the batch */
  int32_t code;    /* MARC_NOTE_..., or the MARC_BAD_... of a rejected piece */
  uint32_t offset; /* of the bytes concerned, in data */
  uint32_t length; /* of the bytes concerned; may be 0 */
  uint32_t tag;    /* of the field concerned, packed as field_tag; 0 if none */
} marc_note;

/* All of a batch at once, as plain arrays: n pieces, m fields, k subfields. Offsets count from `data`. Tags are packed:
 * tag[0] | tag[1] << 8 | tag[2] << 16. Pointers are borrowed from the batch. Set struct_size before the call. */
typedef struct marc_batch_view {
  uint32_t struct_size;
  uint32_t record_count;            /* n: records and rejected pieces, in the order of the source */
  uint32_t field_count;             /* m */
  uint32_t subfield_count;          /* k */
  uint32_t note_count;
  uint32_t all_flags;               /* record_flags of all pieces, combined by AND */
  uint32_t rejected_count;          /* pieces whose record_status is not MARC_OK */
  uint32_t reserved;
  const uint8_t *data;              /* bytes of the source; pieces lie in it, in order, without overlap */
  uint64_t data_length;
  uint64_t source_offset;           /* offset of data[0] in the source */
  uint64_t first_index;             /* index of the first piece in the source */
  uint64_t silent_bytes;            /* bytes of data that belong to no piece */
  const uint32_t *record_start;     /* n */
  const uint32_t *record_length;    /* n */
  const int32_t *record_status;     /* n: MARC_OK or MARC_BAD_... */
  const uint32_t *record_flags;     /* n: MARC_REC_... */
  const uint32_t *field_first;      /* n + 1: fields of piece i are field_first[i] .. field_first[i + 1] */
  const uint32_t *field_tag;        /* m */
  const uint32_t *field_offset;     /* m */
  const uint32_t *field_length;     /* m: without the field terminator */
  const uint32_t *subfield_first;   /* m + 1: subfields of field j are subfield_first[j] .. subfield_first[j + 1] */
  const uint32_t *subfield_offset;  /* k: of the subfield code; the 0x1F stands before it; empty ones are left out */
  const uint32_t *subfield_length;  /* k: code and value */
  const marc_note *notes;           /* note_count, ordered by record */
  /* MARC_FORMAT_MARCXML: `data` holds records in ISO 2709, which are no bytes of the source. NULL for the others. */
  const uint64_t *record_place;     /* n: where the element begins in the source */
  const uint64_t *record_extent;    /* n: bytes of the element */
  const uint8_t *record_leader;     /* n * 24: the leader in the source; the one in data has other lengths and 'a' in /09 */
  const uint32_t *record_text;      /* n: numbers in marc_batch_text(), UINT32_MAX where the bytes of a record are its
                                       text; NULL if that is so for all */
} marc_batch_view;

/* One kind of data of all pieces of a batch, as UTF-8, in one allocation. Set struct_size before the call. */
typedef struct marc_text_view {
  uint32_t struct_size;
  uint32_t count;          /* pieces of the batch */
  const uint8_t *data;     /* entries one behind another, each followed by 0x1D; an entry that is absent is one 0x1F */
  uint64_t data_length;
  const uint64_t *start;   /* count + 1: entry i is data[start[i]] .. data[start[i + 1] - 1] */
  uint32_t splits;         /* 1: splitting data at 0x1D gives the entries, 0: an entry holds 0x1D itself */
  uint32_t absent;         /* how many entries are absent */
} marc_text_view;

/* How to convert MARC-8. Fill with marc_marc8_options_init. Sets are named by the final byte of their escape sequence,
 * such as 0x42 (ASCII) and 0x45 (ANSEL). */
typedef struct marc_marc8_options {
  uint32_t struct_size;
  uint32_t rule;       /* from MARC-8: MARC_PARSE_PYMARC, the default, or MARC_PARSE_BEST (see marc_marc8_to_utf8) */
  uint32_t g0;         /* from MARC-8: set of the bytes below 0x80 at the beginning; default 0x42 */
  uint32_t g1;         /* from MARC-8: set of the bytes from 0x80 on; default 0x45 */
  uint32_t unmappable; /* to MARC-8: MARC_UNMAPPABLE_...; default MARC_UNMAPPABLE_ERROR */
} marc_marc8_options;

/* A place in a text that could not be converted as it stands. */
typedef struct marc_finding {
  uint64_t offset; /* in the text that was given */
  uint32_t code;   /* of one byte, of the three bytes of EACC (big-endian), or of a Unicode character */
  uint32_t kind;   /* MARC_FINDING_... */
  uint32_t g0;     /* the sets in use there */
  uint32_t g1;
} marc_finding;

/* A text that was converted. Set struct_size before the call. */
typedef struct marc_conversion_view {
  uint32_t struct_size;
  uint32_t finding_count;
  const uint8_t *data;
  uint64_t data_length;
  const marc_finding *findings; /* by offset, but for MARC_FINDING_ORPHAN, which are at the end */
  uint32_t g0;                  /* the sets in use at the end */
  uint32_t g1;
  uint32_t stopped;             /* 1: pymarc gives up at the last finding, and data ends before it */
  uint32_t reserved;
} marc_conversion_view;

/* Gives the next bytes of a source, as per read(2): at most `capacity` bytes are written to `buffer`. Returns their
 * number, 0 at the end, or a value below zero, which ends the reading after the records already read were delivered;
 * MARC_READ_INTERRUPTED: for now only. It is only ever called on the thread that is inside marc_reader_next_batch. */
typedef int64_t (*marc_read_fn)(void *context, uint8_t *buffer, size_t capacity);

/* The same for a source that can be positioned: bytes from `offset` on. */
typedef int64_t (*marc_read_at_fn)(void *context, uint64_t offset, uint8_t *buffer, size_t capacity);

/* Takes the next bytes of what is written, as per write(2). Returns how many of them it has taken, at least one, or a value
 * below zero, which is a failure. It is only ever called on the thread that is inside a function of the writer. */
typedef int64_t (*marc_write_fn)(void *context, const uint8_t *data, size_t length);

/* How to write. Fill with marc_writer_options_init, then change members. */
typedef struct marc_writer_options {
  uint32_t struct_size;
  uint32_t format;         /* MARC_FORMAT_...; default MARC_FORMAT_ISO2709 */
  uint32_t encoding;       /* MARC_ENCODING_...; default MARC_ENCODING_UTF8 */
  uint32_t oversize;       /* MARC_OVERSIZE_..., of ISO 2709; default MARC_OVERSIZE_ERROR */
  uint32_t refuse;         /* MARC_REFUSE_..., combined by OR; default 0 */
  uint32_t envelope;       /* 1, the default: what makes a document of the records: XML declaration and collection, brackets
                              of a JSON array; 0: the records alone, for a document that the caller writes */
  uint32_t keep_coding;    /* 1: leader/09 as it stood in the source; 0, the default: 'a'. ISO 2709 always has what it is in */
  uint32_t buffer_bytes;   /* so many are collected before they are written; 0 to 1 GiB; default 256 KiB */
  uint32_t unmappable;     /* MARC_UNMAPPABLE_...: characters that MARC-8 does not have; default MARC_UNMAPPABLE_ERROR */
  uint32_t reserved;       /* 0 */
} marc_writer_options;

/* What a writer has done so far. */
typedef struct marc_writer_info {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t records;        /* written; one that was split counts once */
  uint64_t bytes;          /* given to the writer's target, or waiting for that */
  uint64_t replaced;       /* characters that XML or MARC-8 cannot hold, and something else stands for */
} marc_writer_info;

/* ---- 3. Library ------------------------------------------------------------------------------------------------ */

/* "MAJOR.MINOR.PATCH" of the library that is running; static. */
const char *marc_version_string(void);
/* MARC_ABI_VERSION of the library that is running. */
int32_t marc_abi_version(void);
/* One line on a code (MARC_..., without place); static; never NULL. */
const char *marc_code_message(int32_t code);
/* The name of a code, such as "MARC_BAD_LENGTH"; static; "" for an unknown one. */
const char *marc_code_name(int32_t code);

/* Sets struct_size and clears the rest. `size` is sizeof(marc_error) as the caller was compiled. */
void marc_error_init(marc_error *error, size_t size);
/* Sets struct_size and the defaults. `size` is sizeof(marc_reader_options) as the caller was compiled. */
void marc_reader_options_init(marc_reader_options *options, size_t size);
/* Sets struct_size and the defaults. `size` is sizeof(marc_writer_options) as the caller was compiled. */
void marc_writer_options_init(marc_writer_options *options, size_t size);

/* ---- 4. Readers ------------------------------------------------------------------------------------------------ */

/* Opens a file, pipe or device. `path` is a 0-terminated name in the encoding of the file system. `options` may be
 * NULL. On failure *out is NULL. Errors: MARC_E_IO with errno in detail (a directory: EISDIR). */
int32_t marc_reader_open_path(const char *path, const marc_reader_options *options, marc_reader **out,
                              marc_error *error);

/* Reads from memory, which is borrowed: it must stay as it is until the reader and all its batches are gone. */
int32_t marc_reader_open_bytes(const uint8_t *data, size_t length, const marc_reader_options *options,
                               marc_reader **out, marc_error *error);

/* Reads through a callback. `read` and `context` must stay valid until marc_reader_free has returned. */
int32_t marc_reader_open_callback(marc_read_fn read, void *context, const marc_reader_options *options,
                                  marc_reader **out, marc_error *error);

/* Reads through a callback that is told where to read; `size` is the length of the source. */
int32_t marc_reader_open_read_at(marc_read_at_fn read_at, void *context, uint64_t size,
                                 const marc_reader_options *options, marc_reader **out, marc_error *error);

/* Hands out the next batch: at least one piece, all that is complete. It reads from the source only while no piece is
 * complete, so what a live stream has sent is delivered without waiting for more.
 * MARC_OK: *out is a batch, yours. MARC_END: *out is NULL, for good. After a failure of the source (MARC_E_IO,
 * MARC_E_CALLBACK) all complete pieces that were read before have been delivered, the failure is reported once, then
 * MARC_END. */
int32_t marc_reader_next_batch(marc_reader *reader, marc_batch **out, marc_error *error);

/* Makes a call of marc_reader_next_batch that is running, and every later one, return MARC_E_CANCELLED as soon as the
 * source lets go. NULL is fine. Any thread, any time before marc_reader_free. */
void marc_reader_cancel(marc_reader *reader);

/* Numbers on the reading so far. */
int32_t marc_reader_get_info(const marc_reader *reader, marc_reader_info *out);

/* After a failure of marc_reader_next_batch: the bytes that were read and belong to no batch, the beginning of the piece
 * that the failure has cut. They begin at error.byte_offset. Borrowed from the reader. NULL and 0 where there are none. */
const uint8_t *marc_reader_get_rest(marc_reader *reader, size_t *length);

/* Frees the reader and closes what it opened. Its batches live on. NULL is fine. */
void marc_reader_free(marc_reader *reader);

/* ---- 5. Batches ------------------------------------------------------------------------------------------------ */

/* Parses one piece, the bytes of one record: no borders are looked for. `place` is what is known of it, MARC_PIECE_...:
 * the verdict on a damaged record depends on it. The bytes are borrowed. `options` as for a reader. */
int32_t marc_parse_record(const uint8_t *data, size_t length, uint32_t place, const marc_reader_options *options,
                          marc_batch **out, marc_error *error);

/* The text forms of records whose text is not UTF-8 as it stands (MARC_REC_CONVERTED), as a batch: the same records in
 * UTF-8, laid out as pymarc's as_marc() writes them, with 'a' in leader/09. Its notes are those of the batch itself.
 * Borrowed from it; NULL if there is none. */
const marc_batch *marc_batch_text(const marc_batch *batch);

/* Fills a view; O(1). `out->struct_size` says how many bytes of it the caller knows. NULL: an empty view. */
void marc_batch_get_view(const marc_batch *batch, marc_batch_view *out);

/* One more reference. Returns its argument. NULL is fine. */
const marc_batch *marc_batch_retain(const marc_batch *batch);
/* One reference less; the last one frees the batch, or hands its memory back to the reader. NULL is fine. */
void marc_batch_release(const marc_batch *batch);

/* Scalar accessors, for those who want no arrays. Indexes out of range give 0, NULL or MARC_E_ARGUMENT. */
uint32_t marc_batch_record_count(const marc_batch *batch);
int32_t marc_batch_record_status(const marc_batch *batch, uint32_t record);
uint32_t marc_batch_record_flags(const marc_batch *batch, uint32_t record);
uint64_t marc_batch_record_offset(const marc_batch *batch, uint32_t record); /* absolute, in the source */
const uint8_t *marc_batch_record_data(const marc_batch *batch, uint32_t record, size_t *length);
uint32_t marc_batch_field_count(const marc_batch *batch, uint32_t record);
/* Bytes of a field without its terminator; `tag` receives three characters and a 0. Either may be NULL. */
const uint8_t *marc_batch_field(const marc_batch *batch, uint32_t record, uint32_t field, char tag[4],
                                size_t *length);
/* Subfields of a field: 0 for control fields. */
uint32_t marc_batch_subfield_count(const marc_batch *batch, uint32_t record, uint32_t field);
/* Value of a subfield; `code` receives the byte of its code and may be NULL. */
const uint8_t *marc_batch_subfield(const marc_batch *batch, uint32_t record, uint32_t field, uint32_t subfield,
                                   uint8_t *code, size_t *length);

/* ---- 6. Texts of a whole batch ----------------------------------------------------------------------------------- */

/* The title of every record: 245 $a and $b, joined by a blank, as pymarc's Record.title. Absent where there is no 245
 * with a subfield a, and for rejected pieces. Bytes that are no UTF-8 (MARC_TEXT_RAW) become U+FFFD. */
int32_t marc_batch_titles(const marc_batch *batch, marc_text **out, marc_error *error);

/* Every record as MARC-in-JSON; `style` is MARC_JSON_... . Absent for rejected pieces. The leader is as it stands in the
 * source. (A subfield code above 0x7F is kept; see MARC_NOTE_SUBFIELD_CODE.) */
int32_t marc_batch_json(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error);

/* Every record as a MARCXML record element, without declaration and line end; `style` is MARC_XML_... . Absent for rejected
 * pieces. Always well-formed: characters that XML 1.0 cannot hold become U+FFFD. */
int32_t marc_batch_xml(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error);

/* Every record as lines of MARCMaker, each with its line end (LF); `style` is MARC_MRK_... . Absent for rejected pieces. */
int32_t marc_batch_mrk(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error);

/* The following are for bindings that make an object of every field. They give plain records only (MARC_REC_PLAIN) whose
 * text is UTF-8; any other one is absent. */

/* The values of all fields, separated by 0x1E. The value of a data field has those of its subfields, each without white
 * space around it, joined by a blank; that of a control field is its data. As pymarc's Field.value(). */
int32_t marc_batch_values(const marc_batch *batch, marc_text **out, marc_error *error);

/* The fields that have one of the `count` packed tags, separated by 0x1E: three bytes of tag, then the content. */
int32_t marc_batch_fields(const marc_batch *batch, const uint32_t *tags, size_t count, marc_text **out,
                          marc_error *error);

/* All subfields: their codes, a byte each; 0x1E; their values, separated by 0x1F; then for each control field 0x1E and
 * its data. */
int32_t marc_batch_subfields(const marc_batch *batch, marc_text **out, marc_error *error);

/* The shapes of fields: three bytes of tag, two of indicators (none for a control field), the number of subfields in
 * decimal digits. The entries of the text are the different shapes of the batch (not its pieces); shape_of_field, room for
 * the field_count of the batch, receives the number of its shape for each field; 0 for those of other records. */
int32_t marc_batch_shapes(const marc_batch *batch, uint32_t *shape_of_field, marc_text **out, marc_error *error);

/* Fills a view; O(1). Pointers are borrowed from the text. NULL: an empty view. */
void marc_text_get_view(const marc_text *text, marc_text_view *out);
/* NULL is fine. */
void marc_text_free(marc_text *text);

/* ---- 7. Builders ------------------------------------------------------------------------------------------------- */

/* Makes records, one after another. What a builder is given must be UTF-8 (else MARC_E_ARGUMENT) and hold no delimiter, 0x1D
 * to 0x1F (else MARC_E_UNWRITABLE); what is copied from a record is copied as it is. A call that fails has changed nothing. */
int32_t marc_builder_new(marc_builder **out, marc_error *error);
/* NULL is fine. */
void marc_builder_free(marc_builder *builder);

/* 24 characters of ASCII. Record length, base address, /09, /10, /11 and /20-23 are set by marc_builder_finish. Without a
 * leader the record has 00000nam a2200000   4500. */
int32_t marc_builder_set_leader(marc_builder *builder, const char *leader, marc_error *error);
/* `tag` is 0-terminated: three characters of ASCII, 000 to 009. */
int32_t marc_builder_add_control(marc_builder *builder, const char *tag, const char *data, size_t length,
                                 marc_error *error);
/* A data field without subfields. `tag` as above, of no control field; indicators are characters of ASCII. */
int32_t marc_builder_add_data(marc_builder *builder, const char *tag, char first, char second, marc_error *error);
/* Adds a subfield to the last field, which must be a data field. `code` is a character of ASCII. */
int32_t marc_builder_add_subfield(marc_builder *builder, char code, const char *value, size_t length,
                                  marc_error *error);
/* Copies the leader of a record, or `count` of its fields from number `first` on: a changed record is the fields of another
 * that stay, and those that are new. Text of the copies that is no UTF-8 becomes U+FFFD. */
int32_t marc_builder_copy_leader(marc_builder *builder, const marc_batch *batch, uint32_t record, marc_error *error);
int32_t marc_builder_copy_fields(marc_builder *builder, const marc_batch *batch, uint32_t record, uint32_t first,
                                 uint32_t count, marc_error *error);

/* Gives the record as a batch of one, yours, and begins a new one. It may be larger than ISO 2709 can state: that is for a
 * writer to say. MARC_E_TOO_LARGE above 2 GiB. */
int32_t marc_builder_finish(marc_builder *builder, marc_batch **out, marc_error *error);

/* ---- 8. Writers -------------------------------------------------------------------------------------------------- */

/* Writes to a file, which is made or emptied, a pipe or a device. `path` and `options` as for marc_reader_open_path. */
int32_t marc_writer_open_path(const char *path, const marc_writer_options *options, marc_writer **out,
                              marc_error *error);
/* Writes to memory; see marc_writer_get_bytes. */
int32_t marc_writer_open_memory(const marc_writer_options *options, marc_writer **out, marc_error *error);
/* Writes through a callback. `write` and `context` must stay valid until marc_writer_close or _free has returned. */
int32_t marc_writer_open_callback(marc_write_fn write, void *context, const marc_writer_options *options,
                                  marc_writer **out, marc_error *error);

/* Writes a record of a batch. Failures of the record, which write nothing of it, and after which the writer goes on:
 * MARC_E_ARGUMENT (a rejected piece), MARC_E_TOO_LARGE, MARC_E_UNWRITABLE, MARC_E_UNMAPPABLE, MARC_E_NOMEM. Failures of the target are for good,
 * every later call answers with the same: MARC_E_IO, MARC_E_CALLBACK. */
int32_t marc_writer_write(marc_writer *writer, const marc_batch *batch, uint32_t record, marc_error *error);
/* Writes the records among `count` pieces from number `first` on; rejected pieces are passed over. *done, if not NULL, says how
 * many pieces it was done with: where it fails for a record, that is piece first + *done (record_index of the error has its
 * index in the source), and one may go on behind it. */
int32_t marc_writer_write_batch(marc_writer *writer, const marc_batch *batch, uint32_t first, uint32_t count,
                                uint32_t *done, marc_error *error);
/* Writes the bytes of a piece as they stand in the source, rejected ones too. MARC_FORMAT_ISO2709 only. */
int32_t marc_writer_write_raw(marc_writer *writer, const marc_batch *batch, uint32_t record, marc_error *error);

/* Gives what is in the buffer to the target. */
int32_t marc_writer_flush(marc_writer *writer, marc_error *error);
/* Ends the document, gives all that is left to the target and closes it. The answer to this call is whether all was written.
 * A second call answers the same; every other one is MARC_E_ARGUMENT from then on. */
int32_t marc_writer_close(marc_writer *writer, marc_error *error);

/* Numbers on the writing so far. */
int32_t marc_writer_get_info(const marc_writer *writer, marc_writer_info *out);
/* A writer to memory: all that was written, borrowed until the next call on the writer; the document is whole when the writer
 * was closed. NULL and 0 for any other writer. */
const uint8_t *marc_writer_get_bytes(const marc_writer *writer, size_t *length);
/* Frees the writer and closes what it opened. What was not closed by marc_writer_close is not whole. NULL is fine. */
void marc_writer_free(marc_writer *writer);

/* ---- 9. One record ----------------------------------------------------------------------------------------------- */

/* The fields of one record as ISO 2709, in one call. `leader`: 24 bytes, of which 00-04 and 12-16 are computed. `tags`: three
 * bytes a field, `field_count` of them. `text`: the contents of the fields in UTF-8, joined by 0x1E: data of a control field;
 * indicators and subfields, each with its 0x1F, of any other. Contents that hold 0x1E themselves need `lengths`, the bytes of
 * each; they then stand one behind another without 0x1E. NULL otherwise.
 * `oversize` is MARC_OVERSIZE_ERROR or _ZEROS. `out` has room for 26 + 13 * field_count + text bytes, all 0x1E left out;
 * *written, if not NULL, says how many were written: all of them, or 0 on failure. Errors: MARC_E_TOO_LARGE, MARC_E_ARGUMENT (text and field_count do not
 * agree, `capacity` is too small). */
int32_t marc_serialize(const uint8_t *leader, const uint8_t *tags, size_t field_count, const uint8_t *text,
                       size_t text_length, const uint32_t *lengths, uint32_t oversize, uint8_t *out, size_t capacity,
                       size_t *written, marc_error *error);

/* ---- 10. MARC-8 --------------------------------------------------------------------------------------------------- */

/* Sets struct_size and the defaults. `size` is sizeof(marc_marc8_options) as the caller was compiled. */
void marc_marc8_options_init(marc_marc8_options *options, size_t size);

/* Converts a text in MARC-8, such as one subfield, to UTF-8 in Normalization Form C. `options` may be NULL. Bytes that
 * mean nothing are findings of the conversion, never a failure of the call.
 * MARC_PARSE_PYMARC: as pymarc 5.4: control bytes and marks without a base are dropped, bytes that mean nothing become a
 * blank, halves of double marks U+FE20 to U+FE23, references (&#x2014;) stay as they are. What pymarc loses although the
 * tables have it (sets in G1, extended sets in G0) is converted.
 * MARC_PARSE_BEST: as the tables of the Library of Congress: control characters stay, a blank bears marks without a base,
 * bytes that mean nothing become U+FFFD, double marks are U+0360 and U+0361, references are expanded. */
int32_t marc_marc8_to_utf8(const uint8_t *data, size_t length, const marc_marc8_options *options,
                           marc_conversion **out, marc_error *error);

/* Converts UTF-8 to MARC-8. The text begins and ends with ASCII in G0 and ANSEL in G1, and is so before each delimiter
 * (0x1D to 0x1F) in it. The character behind an 0x1F is a subfield code, which is ASCII and takes no marks. `options` may be
 * NULL. Findings are the characters that MARC-8 does not have; a mark without a letter before it is one. What was written
 * can be read with MARC_PARSE_BEST: it gives the text in Normalization Form C. (Half marks, U+FE20 to U+FE23, and
 * references that the text itself holds come back with MARC_PARSE_PYMARC.)
 * MARC_E_ARGUMENT: the text is no UTF-8. MARC_E_UNMAPPABLE: with MARC_UNMAPPABLE_ERROR. */
int32_t marc_utf8_to_marc8(const uint8_t *data, size_t length, const marc_marc8_options *options,
                           marc_conversion **out, marc_error *error);

/* Fills a view; O(1). Pointers are borrowed from the conversion. NULL: an empty view. */
void marc_conversion_get_view(const marc_conversion *conversion, marc_conversion_view *out);
/* NULL is fine. */
void marc_conversion_free(marc_conversion *conversion);

/* [marc-abi-end] */

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif /* MARC_MARC_H */
