package main

import (
	"fmt"
	"slices"
	"strings"
)

// results are the creates per second of all rounds, in their order, by server and number of connections.
type results map[result][]float64

type result struct {
	server string
	conns  int
}

func (all results) add(server string, conns int, perSecond float64) {
	key := result{server, conns}
	all[key] = append(all[key], perSecond)
}

// compared are the servers of whose ratio the sandbox makes a promise.
var compared = [][2]string{{"sandbox", "bare"}, {"sandbox", "usual"}}

// summary says in words what the lines for benchstat say.
func (all results) summary(c *config) string {
	var b strings.Builder
	for _, conns := range c.conns {
		fmt.Fprintf(&b, "\n%d connections, median of %d rounds\n", conns, c.count)
		for _, name := range c.servers {
			fmt.Fprintf(&b, "  %-16s %8.0f req/s\n", name, median(all[result{name, conns}]))
		}
		for _, pair := range compared {
			if of := all.ratios(pair[0], pair[1], conns); of != nil {
				fmt.Fprintf(&b, "  %-16s %8.2f (%.2f to %.2f)\n", pair[0]+"/"+pair[1], median(of), slices.Min(of), slices.Max(of))
			}
		}
	}
	return b.String()
}

// ratios compares within each round: there the machine was as fast for one as for the other, or nearly.
func (all results) ratios(of, to string, conns int) []float64 {
	var list []float64
	for i, perSecond := range all[result{of, conns}] {
		if others := all[result{to, conns}]; i < len(others) {
			list = append(list, perSecond/others[i])
		}
	}
	return list
}

// median returns the value in the middle, or the mean of the two; 0 where there is none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
