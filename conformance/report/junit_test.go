package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance/report"
)

// element is what a schema says of an XML element, in regular expressions: of the names of its children, each followed by
// a blank, and of its attributes, sorted by name and each followed by a blank.
type element struct{ children, attributes string }

// The schemas that a report satisfies at once. Those of Jenkins and JUnit 5 (jenkins-junit.xsd) and of Windy Road for Ant
// (JUnit.xsd) differ in nearly every element.
var junitSchemas = map[string]map[string]element{
	"jenkins-junit.xsd": {
		"testsuites": {`(testsuite )*`, `(disabled=\S+ )?(errors=\S+ )?(failures=\S+ )?(name=\S+ )?(tests=\S+ )?(time=\S+ )?`},
		"testsuite": {`(properties )?(testcase )*(system-out )?(system-err )?`, `(disabled=\S* )?(errors=\S* )?(failures=\S* )?(hostname=\S* )?` +
			`(id=\S* )?name=\S* (package=\S* )?(skipped=\S* )?tests=\S* (time=\S* )?(timestamp=\S* )?`},
		"properties": {`(property )+`, ``},
		"property":   {``, `name=\S* value=\S* `},
		"testcase":   {`(skipped )?(error )*(failure )*(system-out )*(system-err )*`, `(assertions=\S* )?(classname=\S* )?name=\S* (status=\S* )?(time=\S* )?`},
		"failure":    {``, `(message=\S* )?(type=\S* )?`},
		"skipped":    {``, ``},
		"system-out": {``, ``},
		"system-err": {``, ``},
	},
	"JUnit.xsd": {
		"testsuites": {`(testsuite )*`, ``},
		"testsuite": {`properties (testcase )*system-out system-err `, `errors=\d+ failures=\d+ hostname=\S+ id=\d+ name=\S+ package=\S* ` +
			`(skipped=\d+ )?tests=\d+ time=[\d.]+ timestamp=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d `},
		"properties": {`(property )*`, ``},
		"property":   {``, `name=\S+ value=\S* `},
		"testcase":   {`((skipped|error|failure) )?`, `classname=\S* name=\S* time=[\d.]+ `},
		"failure":    {``, `(message=\S* )?type=\S* `},
		"skipped":    {`.*`, `.*`},
		"system-out": {``, ``},
		"system-err": {``, ``},
	},
}

// TestJUnitSchemas validates reports with every kind of case.
func TestJUnitSchemas(t *testing.T) {
	t.Parallel()
	expected, problems := expecting(t)
	for name, o := range map[string]report.Options{"known": {Problems: problems}, "strict": {Strict: true, Spec: "https://example.com/a.yaml"}} {
		var b bytes.Buffer
		require.NoError(t, report.Write(&b, "junit", expected, o))
		for schema, elements := range junitSchemas {
			t.Run(name+" "+schema, func(t *testing.T) {
				t.Parallel()
				validateXML(t, b.Bytes(), elements)
			})
		}
	}
}

// validateXML compares each element with its schema.
func validateXML(t *testing.T, data []byte, elements map[string]element) {
	t.Helper()
	type open struct{ name, children string }
	stack := []open{{}}
	seen := map[string]bool{}
	for d := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		last := &stack[len(stack)-1]
		switch x := token.(type) {
		case xml.StartElement:
			name := x.Name.Local
			last.children += name + " "
			var attributes []string
			for _, a := range x.Attr {
				attributes = append(attributes, a.Name.Local+"="+strings.Join(strings.Fields(a.Value), "_")+" ")
			}
			slices.Sort(attributes)
			require.Contains(t, elements, name)
			require.Regexp(t, "^(?:"+elements[name].attributes+")$", strings.Join(attributes, ""), "attributes of %s", name)
			seen[name] = true
			stack = append(stack, open{name: name})
		case xml.EndElement:
			require.Regexp(t, "^(?:"+elements[last.name].children+")$", last.children, "children of %s", last.name)
			stack = stack[:len(stack)-1]
		}
	}
	assert.Equal(t, "testsuites ", stack[0].children)
	assert.Len(t, seen, len(elements), "the report has every element")
}
