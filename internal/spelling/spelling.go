// Package spelling finds the name that a misspelt one is meant for.
package spelling

import "strings"

// Closest returns the name that a misspelt one is surely meant for, or "": one with an edit distance of at most 2, and less
// for short names, or one that differs only in letter case, hyphens and underscores.
func Closest(word string, names []string) string { return closest(word, names, min(2, len(word)/4)) }

// Nearest returns the name that a word may be meant for, or "": as Closest, for more short names, and also one that contains
// the word or is contained in it.
func Nearest(word string, names []string) string {
	const minPart = 3
	if name := closest(word, names, min(2, len(word)/2)); name != "" {
		return name
	}
	best := ""
	for _, name := range names {
		isPart := min(len(word), len(name)) >= minPart && (strings.Contains(name, word) || strings.Contains(word, name))
		if isPart && (best == "" || max(len(name)-len(word), len(word)-len(name)) < max(len(best)-len(word), len(word)-len(best))) {
			best = name
		}
	}
	return best
}

func closest(word string, names []string, limit int) string {
	best, least := "", limit+1
	for _, name := range names {
		if word != name && strings.EqualFold(bare.Replace(word), bare.Replace(name)) {
			return name
		}
		if d := distance(word, name); d < least && d > 0 {
			best, least = name, d
		}
	}
	return best
}

var bare = strings.NewReplacer("-", "", "_", "")

// distance returns the number of characters to insert, remove, replace or swap with the next to get from a to b.
func distance(a, b string) int {
	if max(len(a)-len(b), len(b)-len(a)) > 2 {
		return 3
	}
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return row[len(b)]
}
