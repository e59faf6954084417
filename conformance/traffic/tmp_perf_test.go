package traffic

import ("testing";"bytes";"syscall";"fmt")

func cpu() float64 { var r syscall.Rusage; syscall.Getrusage(1, &r); return float64(r.Utime.Sec)+float64(r.Utime.Usec)/1e6 }

func BenchmarkPerf(b *testing.B) {
	har := benchArchive(b, 4<<20)
	lines := benchLines(b, har)
	collectRecs := func(file []byte) (rs []Record) {
		for batch, err := range ReadBatches(bytes.NewReader(file), "-") { if err != nil {b.Fatal(err)}; rs = append(rs, batch.Records()...) }
		return
	}
	hr, lr := collectRecs(har), collectRecs(lines)
	var v View
	run := func(name string, n int, f func()) {
		best := 1e9
		for i := 0; i < 4; i++ { s := cpu(); for range 60 { f() }; if d := (cpu()-s)/60; d > 0 && d < best { best = d } }
		fmt.Printf("%-14s %8.0f MB/s\n", name, float64(n)/best/1e6)
	}
	run("split", len(har), func() { i := bytes.Index(har, []byte(`"entries":[`))+11; for har[i] == '{' || har[i] == ',' { if har[i] == ',' {i++}; o := objectEnd{pos:i}; i, _ = o.find(har) } })
	run("har view", len(har), func() { for i := range hr { if !hr[i].View(&v) {b.Fatal()} } })
	run("line view", len(lines), func() { for i := range lr { if !lr[i].View(&v) {b.Fatal()} } })
	run("whole", len(har), func() { for batch := range ReadBatches(bytes.NewReader(har), "-") { rs := batch.Records(); for i := range rs { rs[i].View(&v) }; batch.Release() } })
}
