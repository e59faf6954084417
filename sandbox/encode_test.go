package sandbox

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
)

// TestAppendFault holds that our encoder writes what encoding/json writes, of every member there is.
func TestAppendFault(t *testing.T) {
	t.Parallel()
	const when, archived = "2026-11-24T03:00:00Z", "2025-11-30T17:00:00-06:00"
	created, err := time.Parse(time.RFC3339, when)
	require.NoError(t, err)
	gone, err := time.Parse(time.RFC3339, archived)
	require.NoError(t, err)
	full := fleetioapi.Fault{
		ID: 7, AccountID: 12, Code: "P\"0", Count: fleetioapi.Value(int64(-3)), CreatedAt: &created, UpdatedAt: &created, Description: fleetioapi.Value("\x00<é>\u2028"),
		ExternalID: fleetioapi.Value("x"), FaultRuleID: fleetioapi.Value(int64(8)), IdempotencyKey: fleetioapi.Value("k"), IsSample: true,
		LastOccurredAt: fleetioapi.Value(gone), Name: fleetioapi.Value(""), Source: fleetioapi.Value("s"), Status: "open", VehicleArchivedAt: fleetioapi.Value(gone), VehicleID: fleetioapi.Value(int64(1)),
	}
	for i := range reflect.TypeFor[fleetioapi.Fault]().NumField() {
		assert.False(t, reflect.ValueOf(full).Field(i).IsZero(), "a member is new: write it in appendFault, and set it here: %s", reflect.TypeFor[fleetioapi.Fault]().Field(i).Name)
	}
	empty := fleetioapi.Fault{
		ID: 8, AccountID: 12, Count: fleetioapi.Null[int64](), CreatedAt: &created, UpdatedAt: &created, Description: fleetioapi.Null[string](), ExternalID: fleetioapi.Null[string](),
		FaultRuleID: fleetioapi.Null[int64](), IdempotencyKey: fleetioapi.Null[string](), LastOccurredAt: fleetioapi.Null[time.Time](), Name: fleetioapi.Null[string](),
		Source: fleetioapi.Null[string](), VehicleArchivedAt: fleetioapi.Null[time.Time](), VehicleID: fleetioapi.Null[int64](),
	}
	for _, c := range []struct {
		fault              fleetioapi.Fault
		occurred, archived string
	}{{full, archived, archived}, {empty, "", ""}} {
		want, err := json.Marshal(c.fault)
		require.NoError(t, err)
		assert.JSONEq(t, string(want), string(withID(nil, c.fault.ID, appendFault(nil, &c.fault, when, c.occurred, c.archived))))
	}
}

// TestEveryFieldIsRead holds that no member of a request is left out, nor one that the spec gets.
func TestEveryFieldIsRead(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	body.WriteByte('{')
	for i, f := range fleetioapi.FaultCreateFields {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(`"` + f.Name + `":`)
		switch {
		case f.Type == "integer":
			body.WriteString("7")
		case f.Format == "date-time":
			body.WriteString(`"2026-11-24T03:00:00Z"`)
		case f.Enum != nil:
			body.WriteString(`"` + f.Enum[0] + `"`)
		default:
			body.WriteString(`"text"`)
		}
	}
	body.WriteByte('}')
	var in input
	in.read(body.Bytes())
	require.Empty(t, in.problems)
	var want fleetioapi.FaultCreate
	require.NoError(t, json.Unmarshal(body.Bytes(), &want))
	assert.Equal(t, want, in.fault)
	for i := range reflect.TypeFor[fleetioapi.FaultCreate]().NumField() {
		assert.False(t, reflect.ValueOf(in.fault).Field(i).IsZero(), reflect.TypeFor[fleetioapi.FaultCreate]().Field(i).Name)
	}
}

func FuzzAppendText(f *testing.F) {
	f.Add("a\"\\\x00\x1f\u2028é\xff😀")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		require.NoError(t, json.Unmarshal(appendText(nil, s), &got))
		assert.Equal(t, string([]rune(s)), got) // which replaces bytes that are no UTF-8, as we do
	})
}
