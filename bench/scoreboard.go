package main

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// score is how a tool did with a suite.
type score struct {
	found, missed, falseAlarms int
	byClass                    []int
}

// scoreboard writes docs/scoreboard.md: what each checker finds in the corpus of each spec.
func scoreboard(ctx context.Context) error {
	var doc strings.Builder
	doc.WriteString(scoreboardHead)
	all, err := suites(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(resultsFolder, 0o755); err != nil {
		return err
	}
	for _, s := range all {
		if err := s.write(ctx); err != nil {
			return err
		}
		entries, err := s.read(ctx)
		if err != nil {
			return err
		}
		totals := make([]int, len(classes))
		mutants := 0
		for _, e := range entries {
			if len(e.expected) > 0 {
				mutants++
				totals[e.class()]++
			}
		}
		if mutants == 0 || mutants == len(entries) {
			return fmt.Errorf("%s: %d mutants of %d exchanges: the corpus is not whole", s.name, mutants, len(entries))
		}
		fmt.Fprintf(&doc, "\n## %s\n\n%d mutants and %d conforming exchanges.\n\n| checker | found | missed | false alarms |", s.name, mutants, len(entries)-mutants)
		for i, class := range classes {
			fmt.Fprintf(&doc, " %s (%d) |", class, totals[i])
		}
		doc.WriteString("\n|---|" + strings.Repeat("--:|", 3+len(classes)) + "\n")
		row := func(name string, reported []bool, err error) error {
			if err != nil {
				return fmt.Errorf("%s, %s: %w", s.name, name, err)
			}
			result := tally(entries, reported)
			fmt.Fprintf(&doc, "| %s | %d | %d | %d |", name, result.found, result.missed, result.falseAlarms)
			for i, found := range result.byClass {
				if totals[i] == 0 {
					doc.WriteString(" |")
					continue
				}
				fmt.Fprintf(&doc, " %d%% |", 100*found/totals[i])
			}
			doc.WriteString("\n")
			fmt.Fprintf(os.Stderr, "%s: %s: %+v\n", s.name, name, result)
			return nil
		}
		for _, library := range libraries {
			check, err := library.load(s.spec)
			reported := make([]bool, len(entries))
			for i := 0; i < len(entries) && err == nil; i++ {
				reported[i], err = check(entries[i].Exchange)
			}
			if err := row(library.String(), reported, err); err != nil {
				return err
			}
		}
		reported, err := redocly(ctx, s.spec, entries)
		if err := row("redocly drift "+version("@redocly/cli"), reported, err); err != nil {
			return err
		}
		reported, crashes, err := prism(ctx, s.spec, entries)
		if err := row(fmt.Sprintf("Prism proxy %s (%d crashes)", version("@stoplight/prism-cli"), crashes), reported, err); err != nil {
			return err
		}
	}
	fmt.Print(doc.String())
	return os.WriteFile("../docs/scoreboard.md", []byte(doc.String()), 0o644)
}

// tally counts. Criteria and notes are no violations of OpenAPI: a checker that does not know them has missed nothing.
func tally(entries []entry, reported []bool) score {
	s := score{byClass: make([]int, len(classes))}
	for i, e := range entries {
		switch {
		case len(e.expected) == 0 && reported[i]:
			s.falseAlarms++
		case len(e.expected) == 0:
		default:
			class := e.class()
			if reported[i] {
				s.byClass[class]++
			}
			switch {
			case class >= len(classes)-2:
			case reported[i]:
				s.found++
			default:
				s.missed++
			}
		}
	}
	return s
}

const scoreboardHead = `# Scoreboard

What checkers of HTTP traffic find in the same exchanges. ` + "`make scoreboard`" + ` writes this page; do not edit it.

The corpus of a spec has *mutants*, which violate one claim each, and conforming exchanges. Each line of
[the corpus of this project](../bench/corpus/fleetio.ndjson.gz) is an exchange with the findings that are expected
(` + "`x-expected`" + `). An oracle that shares no code with the checker says what they are. The other specs are examples that Go modules
ship: lxkns of kin-openapi, and the pet store of libopenapi.

- A mutant is *found* if the checker reports anything about it. Criteria, an extension of this project, and notes on
  traffic that conforms to OpenAPI (undocumented properties, headers and parameters) are in the last two columns only.
- A *false alarm* is a report about an exchange that conforms. The conforming exchanges are difficult ones: integers up to
  2⁶³-1, leap seconds, escapes, media types in upper case. A checker with many false alarms finds mutants by chance.
- This project makes the corpus and fixes its checker until it agrees, so that its own line is no surprise. The others show
  how hard the corpus is.
- Requests with a rejected response (4xx) are not checked where a checker can leave that out. Exchanges with a status
  below 200 or a body that was not recorded are not in the table, because a proxy cannot be given them.
- kin-openapi accepts any credential; libopenapi-validator asserts formats and contents; redocly drift ignores
  undocumented headers, which it reports in nearly every exchange; Prism is a proxy between a client and a server that
  replays the exchange. Where Prism crashes, the exchange counts as reported, and Prism is kept running.
`
