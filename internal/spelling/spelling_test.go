package spelling

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestClosest(t *testing.T) {
	t.Parallel()
	names := []string{"code", "count", "last_occurred_at", "vehicle_id", "external_id", "id"}
	for word, want := range map[string]string{
		"lst_occurred_at": "last_occurred_at", "lastOccurredAt": "last_occurred_at", "vehicle-id": "vehicle_id", "vehicel_id": "vehicle_id",
		"extrnal_ids": "external_id", "coed": "code", "Code": "code", "ID": "id", "severity": "", "di": "", "": "", "code": "", "mode": "code",
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, Closest(word, names))
		})
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"code", "count", "last_occurred_at", "vehicle_archived_at", "vehicle_id", "id"}
	for word, want := range map[string]string{
		"cod": "code", "vehicle": "vehicle_id", "occurred_at": "last_occurred_at", "codes": "code", "fault_code": "code", "severity": "", "a": "", "": "",
		"the_id": "", "ids": "id",
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, want, Nearest(word, names))
		})
	}
}
