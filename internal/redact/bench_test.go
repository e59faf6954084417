package redact_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fleetcontract/fleetio-go/internal/redact"
)

// BenchmarkRedact replaces credentials in a JSON body of 1 MiB that repeats one of them several times.
func BenchmarkRedact(b *testing.B) {
	var body bytes.Buffer
	for i := 0; body.Len() < 1<<20; i++ {
		note := "P0420 catalyst efficiency below threshold"
		if i%500 == 0 {
			note = "sent with sekretkey123 by the client"
		}
		fmt.Fprintf(&body, `{"id":%d,"vehicle_id":4711,"code":"P0420","description":%q,"name":"Catalyst \"efficiency\"","url":"https:\/\/example.com\/a?b=c%%20d"}`, i, note)
	}
	for _, n := range []int{2, 40} {
		b.Run(fmt.Sprintf("%d credentials", n), func(b *testing.B) {
			secrets := []string{"sekretkey123", "account-9e1f77"}
			for i := range n - 2 {
				secrets = append(secrets, fmt.Sprintf("%x%x", i*7919+1234567, i*104729+7654321))
			}
			b.SetBytes(int64(body.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := redact.New(secrets...).Data(body.Bytes()); !ok {
					b.Fatal("a credential cannot be replaced")
				}
			}
		})
	}
	b.Run("building", func(b *testing.B) {
		for b.Loop() {
			redact.New("sekretkey123", "account-9e1f77", "Token sekretkey123")
		}
	})
}
