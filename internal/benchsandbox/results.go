package main

import (
	"fmt"
	"slices"
	"strings"
)

// results are all rounds, in their order, by server and number of connections.
type results map[result][]*round

type result struct {
	server string
	conns  int
}

func (all results) add(server string, conns int, r *round) {
	key := result{server, conns}
	all[key] = append(all[key], r)
}

// compared are the servers whose ratio says something. Of the first two, the sandbox makes a promise.
var compared = [][2]string{
	{"sandbox", "bare"}, {"sandbox", "usual"}, {"sandbox-log", "bare"}, {"sandbox", "bare-tuned"}, {"bare-tuned", "bare"},
}

// busyLoad is the share of its processor's time from which on a load holds up the server.
const busyLoad = 0.9

// summary says in words what the lines for benchstat say.
func (all results) summary(c *config) string {
	var b strings.Builder
	for _, conns := range c.conns {
		fmt.Fprintf(&b, "\n%d connections, median of %d rounds\n", conns, c.count)
		for _, name := range c.servers {
			rounds := all[result{name, conns}]
			fmt.Fprintf(&b, "  %-18s %8.0f req/s", name, median(rounds, (*round).perSecond))
			if share := median(rounds, func(r *round) float64 { return r.loadShare }); share > busyLoad {
				fmt.Fprintf(&b, "  WARNING: the load used %.0f%% of its processor, so this may be as fast as it is", 100*share)
			}
			b.WriteString("\n")
		}
		for _, pair := range compared {
			if of := all.ratios(pair[0], pair[1], conns); of != nil {
				fmt.Fprintf(&b, "  %-18s %8.2f (%.2f to %.2f)\n", pair[0]+"/"+pair[1], middle(of), slices.Min(of), slices.Max(of))
			}
		}
	}
	b.WriteString("\nsettings\n")
	for _, name := range c.servers {
		fmt.Fprintf(&b, "  %-18s %s\n", name, serverOf(name).settings)
	}
	return b.String()
}

// ratios compares within each round: there the machine was as fast for one as for the other, or nearly.
func (all results) ratios(of, to string, conns int) []float64 {
	var list []float64
	for i, r := range all[result{of, conns}] {
		if others := all[result{to, conns}]; i < len(others) {
			list = append(list, r.perSecond()/others[i].perSecond())
		}
	}
	return list
}

func median(rounds []*round, of func(*round) float64) float64 {
	var values []float64
	for _, r := range rounds {
		values = append(values, of(r))
	}
	return middle(values)
}

// middle returns the value in the middle, or the mean of the two; 0 where there is none.
func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
