package sandbox

import (
	"strconv"
	"unicode/utf8"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// appendFault appends a fault as JSON, without its id, in the order of the vendor's example. occurred and archived are
// last_occurred_at and vehicle_archived_at, "" where they are null, and created is both other times.
func appendFault(to []byte, f *fleetioapi.Fault, created, occurred, archived string) []byte {
	to = append(to, `{"created_at":"`...)
	to = append(to, created...)
	to = append(to, `","updated_at":"`...)
	to = append(to, created...)
	to = append(to, `","account_id":`...)
	to = strconv.AppendInt(to, f.AccountID, 10)
	to = appendInteger(append(to, `,"vehicle_id":`...), f.VehicleID)
	to = appendText(append(to, `,"code":`...), f.Code)
	to = appendInteger(append(to, `,"count":`...), f.Count)
	to = appendNullable(append(to, `,"description":`...), f.Description)
	to = appendNullable(append(to, `,"external_id":`...), f.ExternalID)
	to = appendTime(append(to, `,"last_occurred_at":`...), occurred)
	to = appendNullable(append(to, `,"name":`...), f.Name)
	to = appendText(append(to, `,"status":`...), string(f.Status))
	to = appendNullable(append(to, `,"source":`...), f.Source)
	to = appendTime(append(to, `,"vehicle_archived_at":`...), archived)
	to = appendInteger(append(to, `,"fault_rule_id":`...), f.FaultRuleID)
	to = strconv.AppendBool(append(to, `,"is_sample":`...), f.IsSample)
	to = appendNullable(append(to, `,"idempotency_key":`...), f.IdempotencyKey)
	return append(to, '}')
}

// roomForID is what the id takes at most, with its name.
const roomForID = len(`{"id":-9223372036854775808`)

// putID returns a fault with its id, of what has room for it before the brace.
func putID(buffered []byte, id int64) []byte {
	var digits [roomForID]byte
	head := strconv.AppendInt(append(digits[:0], `{"id":`...), id, 10)
	buffered[roomForID] = ','
	from := roomForID - len(head)
	copy(buffered[from:], head)
	return buffered[from:]
}

// withID puts the id before the other members of a fault.
func withID(to []byte, id int64, fault []byte) []byte {
	to = append(to, `{"id":`...)
	to = strconv.AppendInt(to, id, 10)
	if len(fault) > 2 {
		to = append(to, ',')
	}
	return append(to, fault[min(1, len(fault)):]...)
}

func appendInteger(to []byte, n fleetioapi.Nullable[int64]) []byte {
	if value, has := n.Get(); has {
		return strconv.AppendInt(to, value, 10)
	}
	return append(to, "null"...)
}

func appendNullable(to []byte, s fleetioapi.Nullable[string]) []byte {
	if value, has := s.Get(); has {
		return appendText(to, value)
	}
	return append(to, "null"...)
}

// appendTime takes a time that was checked: it needs no escape.
func appendTime(to []byte, s string) []byte {
	if s == "" {
		return append(to, "null"...)
	}
	to = append(to, '"')
	to = append(to, s...)
	return append(to, '"')
}

const hexDigits = "0123456789abcdef"

// appendText appends a text in quotes (RFC 8259, section 7). What is no UTF-8 becomes U+FFFD.
func appendText(to []byte, s string) []byte {
	to = append(to, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				to = append(append(to, s[from:i]...), "\uFFFD"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			to = append(to, s[from:i]...)
			from = i + 1
			switch c {
			case '"', '\\':
				to = append(to, '\\', c)
			case '\n':
				to = append(to, '\\', 'n')
			case '\r':
				to = append(to, '\\', 'r')
			case '\t':
				to = append(to, '\\', 't')
			default:
				to = append(to, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xF])
			}
		}
		i++
	}
	to = append(to, s[from:]...)
	return append(to, '"')
}
