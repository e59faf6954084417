package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// chance is something that a contract can report.
type chance struct {
	rules    []string
	claim    string // "" for drift
	places   []string
	uses     []string // as in [Claim]
	anywhere bool     // its place alone does not tell that it is meant
	observed bool     // whether the traffic was about it
}

// chances lists all that could be reported, by the claims of the report.
func (r *Report) chances() []chance {
	var list []chance
	answers := map[string]bool{} // by use, whether one was seen
	operations := map[string]bool{}
	for _, e := range r.Claims {
		c := chance{rules: []string{e.Rule}, claim: e.ID, places: slices.Clone(e.Places), uses: e.Uses,
			observed: e.Supported+e.Consistent+e.Refuted > 0}
		switch e.Rule {
		case "type":
			c.rules = append(c.rules, "nullable") // where nullable is left out, the type leaves no room for null
		case "additionalProperties":
			for i := range c.places {
				c.places[i] += "/*"
			}
		case ruleJSON:
			list = append(list, chance{rules: []string{ruleUnicode, ruleDuplicate}, claim: e.ID, places: []string{"", "/**"},
				uses: e.Uses, anywhere: true, observed: c.observed})
		case ruleMediaType: // an undocumented one is drift, which refutes no claim
			list = append(list, chance{rules: c.rules, places: c.places, uses: c.uses, observed: c.observed})
		}
		list = append(list, c)
		for _, use := range e.Uses {
			operation, status := splitUse(use)
			operations[operation] = true
			if status != "" && e.Rule == ruleStatus {
				answers[use] = c.observed
			}
		}
	}
	for _, use := range slices.Sorted(maps.Keys(answers)) {
		list = append(list,
			chance{rules: []string{ruleUndocumentedProperty}, places: []string{"/**"}, uses: []string{use}, anywhere: true, observed: answers[use]},
			chance{rules: []string{ruleUndocumentedHeader}, places: []string{"/*"}, uses: []string{use}, anywhere: true, observed: answers[use]})
	}
	for _, operation := range slices.Sorted(maps.Keys(operations)) {
		list = append(list, chance{rules: []string{ruleStatus}, places: []string{""}, uses: []string{operation + " DEFAULT"}, observed: r.Exchanges > 0})
	}
	return list
}

// impossible says why a line can match nothing that is ever reported, or "".
func (k *KnownFailure) impossible(chances []chance) string {
	left := chances
	for _, selector := range []struct {
		given bool
		fits  func(chance) bool
		why   string
	}{
		{k.Rule != "", func(c chance) bool { return slices.Contains(c.rules, k.Rule) },
			fmt.Sprintf("nothing that this contract can report has the rule %q", k.Rule)},
		{k.Claim != "", func(c chance) bool { return c.claim != "" && globFits(k.Claim, c.claim, false) },
			fmt.Sprintf("no claim fits %q", k.Claim)},
		{k.Operation != "" || k.Status != 0, k.fitsUse, "nothing is claimed of this operation and this status"},
		{k.Pointer != "", func(c chance) bool {
			return (!c.anywhere || k.Rule != "" || k.Fingerprint != "" || k.Claim != "") &&
				slices.ContainsFunc(c.places, func(place string) bool { return globFits(k.Pointer, place, true) })
		}, fmt.Sprintf("no place that a finding can have fits the pointer %q; for an undocumented member or header, name the rule", k.Pointer)},
	} {
		if !selector.given {
			continue
		}
		left = slices.DeleteFunc(slices.Clone(left), func(c chance) bool { return !selector.fits(c) })
		if len(left) == 0 {
			return selector.why
		}
	}
	return ""
}

// gone says why a line that matched nothing is a problem. A run that was silent about it proves less than one that was
// not.
func (k *KnownFailure) gone(chances []chance) string {
	observed := false
	for _, c := range chances {
		observed = observed || c.observed && k.impossible([]chance{c}) == ""
	}
	if !observed {
		return "the known failure was not observed in this traffic, nor anything else that would show whether it still occurs: " +
			k.selectors() + "because " + k.Reason
	}
	return "the known failure no longer occurs, delete the line: " + k.selectors() + "because " + k.Reason
}

// fitsUse tells whether something is claimed of the operation and the status that a line names. What is claimed of a
// request is refuted where it is accepted.
func (k *KnownFailure) fitsUse(c chance) bool {
	return slices.ContainsFunc(c.uses, func(use string) bool {
		operation, status := splitUse(use)
		if k.Operation != "" && k.Operation != operation {
			return false
		}
		switch text := strconv.Itoa(k.Status); {
		case k.Status == 0 || status == "DEFAULT":
			return true
		case status == "":
			return text[0] == '2'
		default:
			return status == text || status == text[:1]+"XX"
		}
	})
}

var useStatus = regexp.MustCompile(`^(.*) ([1-5](?:[0-9][0-9]|XX)|DEFAULT)$`)

// splitUse splits a use of a claim into the operation and the status, "" for a request's.
func splitUse(use string) (operation, status string) {
	if m := useStatus.FindStringSubmatch(use); m != nil {
		return m[1], m[2]
	}
	return use, ""
}

// globFits matches a glob of pointers against one, token by token. In a place, * stands for any token.
func globFits(pattern, pointer string, place bool) bool {
	tokens := strings.Split(pointer, "/")
	reached := make([]bool, len(tokens)+1) // whether the pattern so far matches as many tokens
	reached[0] = true
	for p := range strings.SplitSeq(pattern, "/") {
		next := make([]bool, len(tokens)+1)
		for i := range reached {
			switch {
			case p == "**":
				next[i] = reached[i] || i > 0 && next[i-1]
			case i > 0 && place && tokens[i-1] == "**":
				next[i] = reached[i-1] || reached[i]
			case i > 0 && reached[i-1]:
				next[i] = place && tokens[i-1] == "*" || isPosition(p) && isPosition(tokens[i-1]) || fitsToken(p, tokens[i-1])
			}
		}
		reached = next
	}
	return reached[len(tokens)]
}

func isPosition(token string) bool {
	_, err := strconv.Atoi(token)
	return err == nil
}

// fitsToken matches a glob within a token.
func fitsToken(pattern, token string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == token
	}
	last := parts[len(parts)-1]
	token, ok := strings.CutPrefix(token, parts[0])
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(token, part)
		if i < 0 {
			return false
		}
		token = token[i+len(part):]
	}
	return ok && strings.HasSuffix(token, last)
}
