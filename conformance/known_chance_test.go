package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGlobFits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		pattern, pointer   string
		asPointer, asPlace bool
	}{
		{"/a", "/a", true, true},
		{"/a", "/b", false, false},
		{"/a", "/a/b", false, false},
		{"/a/b", "/a", false, false},
		{"/*", "/a", true, true},
		{"/*", "/", true, true},
		{"/*", "/a/b", false, false},
		{"/**", "/a/b", true, true},
		{"/**", "", true, true},
		{"**", "/a/b", true, true},
		{"/**/c", "/a/b/c", true, true},
		{"/**/c", "/c", true, true},
		{"/**/c", "/c/d", false, false},
		{"/a/**/c/**", "/a/b/c/d/c", true, true},
		{"/a/**/b/**/c", "/a/b/c", true, true},
		{"/a/**/b/**/c", "/a/c", false, false},
		{"/a*", "/abc", true, true},
		{"/a*", "/ba", false, false},
		{"/*a", "/ba", true, true},
		{"/a*a", "/a", false, false},
		{"/a*a", "/aa", true, true},
		{"/*a*b*", "/xaxbx", true, true},
		{"/*a*b*", "/xbxax", false, false},
		{"/a**b", "/axb", true, true},
		{"/a~1b", "/a~1b", true, true},
		{"/3", "/7", true, true}, // positions in a list
		{"/3/x", "/7/x", true, true},
		{"/3", "/x", false, false},
		{"/x", "/3", false, false},
		{"/x", "/*", false, true},
		{"/3/y", "/*/y", false, true},
		{"/3/y", "/*/z", false, false},
		{"/x", "/**", false, true},
		{"/x/y/z", "/**", false, true},
		{"/x", "/y/**", false, false},
	} {
		assert.Equal(t, row.asPointer, globFits(row.pattern, row.pointer, false), "%q against the pointer %q", row.pattern, row.pointer)
		assert.Equal(t, row.asPlace, globFits(row.pattern, row.pointer, true), "%q against the place %q", row.pattern, row.pointer)
	}
}
