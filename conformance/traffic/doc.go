// Package traffic reads recorded HTTP traffic into exchanges.
//
// An exchange is all that the rest of the project sees of a recording, whatever its format and recorder. Three formats are
// read: HAR, NDJSON and cassettes of go-vcr, vcrpy and Ruby's VCR, each of them also compressed by gzip, and HAR in zip
// files. The first bytes of a recording tell its format.
//
// A recording often holds less than what was sent. [Message.BodyOmitted] marks a body that was not recorded, so that
// nothing is concluded from its absence, and [Message.HeaderOmitted] a header.
//
// [Read] yields the exchanges one after the other. HAR and NDJSON are read in flat memory: that of one exchange, which is
// at most 64 MiB long, and whose bodies are when they are unpacked. An exchange that cannot be read is an [EntryError], and
// Read goes on, as long as the syntax of the recording tells where the next one starts. A recording that is cut off is an
// error.
//
// # HAR
//
// HTTP Archives (HAR 1.2) are what browsers and proxies save. A file is checked past log.entries (HAR 1.2, "Entries") to
// its end, so a file that is cut off, or that has anything after the archive, ends in an error even after its last entry
// was yielded. A file without log.entries, or with two, is in error; one with an empty list is not.
//
// Properties that are not needed are skipped, whatever they hold. A null is taken as an absent property, except that a
// text of null beside a size of 0 stands for a body that was not recorded. An entry without a response, and one whose
// status is 0 or less, has no response. An entry that is not valid UTF-8, which HAR requires, cannot be read; a UTF-8 byte
// order mark is skipped.
//
// Recorders differ, and what they write is read as follows:
//
//   - A list of header fields that is empty was not recorded, as each message has some. Nor were those of an entry that a
//     browser answered from its cache or a service worker, and those of a 304; of a 206, the body.
//   - A redirect that Chrome made up (307 with Non-Authoritative-Reason) has no response.
//   - Cookies that are only in the list of cookies are added to the header.
//   - A line break in the value of a field separates repeated fields.
//   - A body that is still compressed under a Content-Encoding of gzip, br, zstd or deflate is unpacked, also if its bytes
//     are written as characters, or by Polly.JS as chunks. A compressed body that cannot be unpacked was not recorded.
//   - A body in a file of its own (Playwright's "_file") is read from the folder of the HAR file, or the zip file. In a zip
//     file, the source of an exchange is such as "page.zip/har.har#/log/entries/3".
//
// # NDJSON
//
// One exchange a line, each a JSON object (RFC 8259), is the format to write from programs; [WriteNDJSON] writes it, and
// docs/exchange.schema.json describes it as a JSON Schema. On several lines here:
//
//	{
//	  "method": "POST",
//	  "url": "https://secure.fleetio.com/api/v1/faults",
//	  "status": 201,
//	  "request": {"headers": [["Content-Type", "application/json"]], "body": "{\"vehicle_id\":41}"},
//	  "response": {"headers": {"Content-Type": "application/json"}, "body_json": {"id": 7001}}
//	}
//
// The method must be there, and the URL, which is empty where what was recorded is no URL. A status that is absent or 0
// says that there was no response, and then there must be none here. What is absent of a request or a response was not
// recorded; an absent request or response is one of which nothing was.
//
//   - headers: the fields as a list of pairs of a name and a value, in their order; or as an object, with a value or a list
//     of values under a name. An empty one says that there were none. Pseudo headers (":method") are left out.
//   - body: the body as text. An empty one says that there was none.
//   - body_base64: the bytes of the body, with or without padding (RFC 4648, section 4).
//   - body_json: a body that is JSON, byte for byte as it stands there.
//   - media_type: what the Content-Type was, only where headers are absent.
//
// There is one body property at most. Bodies have their transfer and content encodings undone. Names are case-sensitive,
// and no value is null, except of body_json. A property of another name is an error, unless its name starts with "x-" or
// "_"; so is one that comes twice, though header names may. Blank lines are skipped. A line is at most 64 MiB long, and a
// fault is reported with the number of its line, from 1, as is [Exchange.Source]: "page.ndjson#L3".
//
// # Cassettes
//
// Cassettes are read as go-vcr v2, v3 and v4 (versions 1 and 2), vcrpy and Ruby's VCR write them, in YAML or JSON. A cassette
// is held in memory as a whole, and is at most 64 MiB long. Merge keys are not read, and aliases stand for at most 64 MiB. The
// source of an exchange is such as "cassette.yaml#/interactions/3", or "cassette.yml#/http_interactions/3".
//
// A body that is empty or absent says that there was none, unless the recorded length says otherwise: then a hook of the
// recorder has removed it. A body under a Content-Encoding is unpacked as in HAR. Headers that are absent, as opposed to {},
// were not recorded. A hook that removes a single header, such as Authorization, leaves no trace: the request then looks as
// if it was sent without it. A last interaction that lacks something is an error, as the file may be cut off.
package traffic
