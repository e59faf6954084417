package redact

import (
	"bytes"
	"strings"
)

// values appends the spans of the values in a text that have the name of a credential: of JSON properties, of parameters
// in URLs and forms, of the fields of multipart forms (RFC 7578), and of user information in URLs. The text need not be
// valid in any format.
func (n *Names) values(text []byte, spans []span) []span {
	s := scanner{names: n, text: text, spans: spans}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ':':
			i = max(i, s.property(i)-1)
		case '=':
			i = max(i, s.parameter(i)-1)
		}
	}
	if bytes.Contains(text, []byte(formData)) {
		s.multipart()
	}
	return s.spans
}

// scanner finds values in a text. Its methods return the offset after a value, so that none is read twice.
type scanner struct {
	names *Names
	text  []byte
	spans []span

	isOAuth, isOAuthKnown bool // see isCode
}

func (s *scanner) add(start, end int) int {
	value := s.text[start:end]
	isReplaced := string(value) == Name || bytes.HasPrefix(value, []byte(Placeholder)) // the rest can be "; Path=/"
	if start < end && !isReplaced && !s.names.isPublic(value) {
		s.spans = append(s.spans, span{start: start, end: end})
	}
	return end
}

// property adds the value of a JSON property with a colon at an offset, or the user information of a URL.
func (s *scanner) property(colon int) int {
	if colon+1 < len(s.text) && s.text[colon+1] == '/' {
		return s.userinfo(colon + len("://"))
	}
	end := colon
	for end > 0 && isBlank(s.text[end-1]) {
		end--
	}
	if end == 0 || s.text[end-1] != '"' {
		return 0
	}
	at := skipBlanks(s.text, colon+1)
	if at == len(s.text) {
		return 0
	}
	name, isList := s.text[:end-1], s.text[at] == '['
	if isList {
		name = bytes.TrimSuffix(name, []byte("s")) // of a list of tokens, for example
	}
	if !s.names.ends.has(name[max(0, len(name)-maxName):]) {
		return 0
	}
	name = lastName(name)
	place, ok := s.names.find(name)
	if start := end - 2 - len(name); !ok || place == parameter || start < 0 || s.text[start] != '"' && !isList {
		return 0
	}
	switch {
	case place == code && (s.text[at] != '"' || !s.isCode(s.text[at+1:stringEnd(s.text, at+1)])):
		return 0
	case !isList:
		return s.scalar(at)
	}
	for at++; ; {
		for at < len(s.text) && (isBlank(s.text[at]) || s.text[at] == ',') {
			at++
		}
		next := s.scalar(at)
		if next == at {
			return at
		}
		at = next
	}
}

// scalar adds the JSON string or number at an offset.
func (s *scanner) scalar(at int) int {
	if at < len(s.text) && s.text[at] == '"' {
		return min(s.add(at+1, stringEnd(s.text, at+1))+1, len(s.text))
	}
	end := at
	for end < len(s.text) && isNumberByte[s.text[end]] {
		end++
	}
	if end-at < MinLength { // such as the 1 of a flag
		return end
	}
	return s.add(at, end)
}

// parameter adds the value of a parameter in a URL or form with an equals sign at an offset.
func (s *scanner) parameter(equals int) int {
	name := lastName(s.text[:equals])
	start := equals - len(name)
	if start > 0 && strings.IndexByte("?&#;", s.text[start-1]) < 0 {
		return 0
	}
	place, ok := s.names.find(name)
	if !ok {
		return 0
	}
	start = equals + 1
	end := len(s.text)
	if length := bytes.IndexAny(s.text[start:], "&#\"<>\\ \t\r\n"); length >= 0 {
		end = start + length
	}
	if place == code && !s.isCode(s.text[start:end]) {
		return 0
	}
	return s.add(start, end)
}

// isCode reports whether the value of a property or parameter "code" is an authorization code of OAuth 2.0 (RFC 6749,
// section 4.1): it looks random, and the text has another parameter of that grant.
func (s *scanner) isCode(value []byte) bool {
	if !isRandom(string(value)) {
		return false
	}
	if !s.isOAuthKnown {
		s.isOAuthKnown = true
		for _, other := range []string{"grant_type", "redirect_uri", "code_verifier", "state="} {
			s.isOAuth = s.isOAuth || bytes.Contains(s.text, []byte(other))
		}
	}
	return s.isOAuth
}

// userinfo adds the password of a URL with its authority at an offset (RFC 3986, section 3.2), or the user without one.
func (s *scanner) userinfo(start int) int {
	const maxAuthority = 1 << 10
	if start > len(s.text) || s.text[start-1] != '/' {
		return 0
	}
	authority := s.text[start:min(start+maxAuthority, len(s.text))]
	if bytes.IndexByte(authority, '@') < 0 { // as in most texts
		return 0
	}
	if end := bytes.IndexAny(authority, "/?#\"'<>\\ \t\r\n"); end >= 0 {
		authority = authority[:end]
	}
	at := bytes.LastIndexByte(authority, '@')
	if at < 0 {
		return 0
	}
	return s.add(start+bytes.IndexByte(authority[:at], ':')+1, start+at)
}

const formData = "form-data;"

// multipart adds the values of the fields of a multipart form.
func (s *scanner) multipart() {
	const maxHead = 1 << 10 // of the header of a part
	for at := 0; ; {
		next := bytes.Index(s.text[at:], []byte(formData))
		if next < 0 {
			return
		}
		at += next + len(formData)
		head := s.text[at:min(at+maxHead, len(s.text))]
		end, length := bytes.Index(head, []byte("\r\n\r\n")), 4
		if lf := bytes.Index(head, []byte("\n\n")); end < 0 || 0 <= lf && lf < end {
			end, length = lf, 2
		}
		if end < 0 {
			continue
		}
		_, name, _ := bytes.Cut(head[:end], []byte(` name=`))
		name, _, _ = bytes.Cut(name, []byte("\n"))
		name, _, _ = bytes.Cut(bytes.TrimLeft(name, `"`), []byte(`"`))
		if at += end + length; s.names.Has(string(name)) {
			value := s.text[at:]
			if end := bytes.Index(value, []byte("\n--")); end >= 0 {
				value = bytes.TrimSuffix(value[:end], []byte("\r"))
			}
			at = s.add(at, at+len(value))
		}
	}
}

// maxName is the maximum length of a name, in bytes.
const maxName = 128

// lastName returns the name at the end of a text.
func lastName(text []byte) []byte {
	start := len(text)
	for start > 0 && len(text)-start < maxName && isNameByte[text[start-1]] {
		start--
	}
	return text[start:]
}

// stringEnd returns the offset of the quotation mark that ends the JSON string with the content at an offset.
func stringEnd(text []byte, at int) int {
	for ; at < len(text) && text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return min(at, len(text))
}

func skipBlanks(text []byte, at int) int {
	for at < len(text) && isBlank(text[at]) {
		at++
	}
	return at
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// isNumberByte has the bytes of JSON numbers, and isNameByte those of names.
var isNumberByte, isNameByte = func() (number, name [256]bool) {
	for c := range number {
		number[c] = '0' <= c && c <= '9' || strings.IndexByte("+-.eE", byte(c)) >= 0
		name[c] = alphanumeric[c] || strings.IndexByte("-_.[]$%", byte(c)) >= 0
	}
	return number, name
}()
