package sandbox_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/sandbox"
)

func TestMemory(t *testing.T) { //nolint:tparallel // the cases share a server
	t.Parallel()
	store := sandbox.NewMemory()
	fault := []byte(`{"a":1}`)
	for i := range int64(5) {
		id, err := store.Add(t.Context(), sandbox.Record{Account: 12 + i%2, Fault: fault})
		require.NoError(t, err)
		assert.Equal(t, i+1, id)
	}
	fault[1] = '!' // it keeps a copy
	for _, c := range []struct {
		account int64
		limit   int
		want    string
	}{{0, 9, "[5 4 3 2 1]"}, {0, 2, "[5 4]"}, {12, 9, "[5 3 1]"}, {13, 1, "[4]"}, {14, 9, "[]"}, {0, 0, "[]"}} {
		t.Run(c.want, func(t *testing.T) {
			records, err := store.Records(t.Context(), sandbox.Query{Account: c.account, Limit: c.limit})
			require.NoError(t, err)
			ids := []int64{}
			for _, r := range records {
				ids = append(ids, r.ID)
				assert.JSONEq(t, `{"a":1}`, string(r.Fault))
			}
			assert.Equal(t, c.want, fmt.Sprint(ids))
		})
	}
	require.NoError(t, store.Close())
	_, err := store.Add(t.Context(), sandbox.Record{})
	require.Error(t, err)
	_, err = store.Records(t.Context(), sandbox.Query{Limit: 1})
	require.Error(t, err)
	_, err = store.Seed(t.Context(), sandbox.DefaultFixtures(), nil)
	require.Error(t, err)
}
