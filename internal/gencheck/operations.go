package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/gencheck/check"
	"github.com/fleetcontract/fleetio-go/internal/openapi"
	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// printOperations prints the table of the operations.
func (c *compiler) printOperations(p *printer, operations []*operation) (string, error) {
	var b strings.Builder
	for _, o := range operations {
		fmt.Fprintf(&b, "{\nID: %q, Method: %q, Path: %q, Pattern: %q,\n", o.ID, o.Method, o.path, o.pattern)
		if len(o.parameters) > 0 {
			b.WriteString("Parameters: []Parameter{\n")
			for _, parameter := range o.parameters {
				if err := c.printParameter(&b, p, parameter); err != nil {
					return "", err
				}
			}
			b.WriteString("},\n")
		}
		if o.body != nil {
			fmt.Fprintf(&b, "Body: %s, BodyRequired: %t,\n", p.reference(o.body, ""), o.bodyRequired)
		}
		if len(o.otherBodies) > 0 {
			fmt.Fprintf(&b, "OtherBodies: %#v,\n", o.otherBodies)
		}
		if err := c.printResponse(&b, o); err != nil {
			return "", err
		}
		b.WriteString("},\n")
	}
	return b.String(), nil
}

func (c *compiler) printParameter(b *strings.Builder, p *printer, parameter *openapi.Parameter) error {
	style, explode := parameter.Serialization()
	schema := parameter.Schema
	if schema == nil {
		style, explode = "json", false
		if _, m := jsonContent(parameter.Content); m != nil {
			schema = m.Schema
		}
		if schema != nil && schema.Properties != nil && strings.HasPrefix(schema.Pointer, parameter.Pointer) {
			return c.errorAt(schema.Pointer, "the generated server does not compile with an object here: move the schema to components/schemas, and refer to it")
		}
	}
	s := cmp.Or(c.schema(schema), &check.Schema{})
	if err := c.checkInput(s); err != nil {
		return err
	}
	fmt.Fprintf(b, "{Name: %q, In: %q, ", parameter.Name, parameter.In)
	if parameter.In == "path" {
		fmt.Fprintf(b, "Wildcard: %q, ", wildcard(parameter.Name))
	}
	fmt.Fprintf(b, "Style: %q, Explode: %t, Required: %t, Schema: %s},\n", style, explode, parameter.Required, p.reference(s, ""))
	return nil
}

// printResponse prints the first documented 2XX response with its example; without one, the first 3XX or the default.
func (c *compiler) printResponse(b *strings.Builder, o *operation) error {
	statuses := slices.Sorted(maps.Keys(o.Responses))
	i := -1
	for _, prefix := range []string{"2", "3", "default"} {
		if i < 0 {
			i = slices.IndexFunc(statuses, func(status string) bool { return strings.HasPrefix(status, prefix) })
		}
	}
	if i < 0 {
		return c.errorAt(o.Pointer, "the operation has no response of success (2XX, 3XX or default): document one")
	}
	response, status := o.Responses[statuses[i]], strings.ReplaceAll(strings.ToUpper(statuses[i]), "X", "0")
	if statuses[i] == "default" {
		status = "200"
	}
	fmt.Fprintf(b, "Status: %s,\nStatuses: []string{", status)
	for _, status := range statuses {
		fmt.Fprintf(b, "%q, ", status)
	}
	b.WriteString("},\n")
	if len(response.Content) > 0 {
		key, m := jsonContent(response.Content)
		contentType := jsonType
		if m == nil {
			key = c.entries(response.Pointer, "content")[0].Key
			m, contentType = response.Content[key], key
		}
		example, err := c.example(response.Pointer+"/content"+strictjson.Pointer(key), m.Schema)
		if err != nil {
			return err
		}
		if !strings.Contains(contentType, "json") {
			example = unquoted(example)
		}
		if strings.HasSuffix(contentType, "/*") { // any of a range
			contentType = cmp.Or(map[string]string{"text/*": "text/plain"}[contentType], "application/octet-stream")
		}
		fmt.Fprintf(b, "ContentType: %q,\nExample: []byte(%s),\n", contentType, quoteGo(example))
	}
	return c.printHeader(b, response.Headers)
}

func (c *compiler) printHeader(b *strings.Builder, headers map[string]*openapi.Parameter) error {
	texts := map[string]string{}
	for name, header := range headers {
		if strings.EqualFold(name, "Content-Type") { // counts for nothing (OpenAPI 3.0.3, Response Object)
			continue
		}
		schema := header.Schema
		if _, m := jsonContent(header.Content); m != nil {
			schema = m.Schema
		}
		example, err := c.example(header.Pointer, schema)
		if err != nil {
			return err
		}
		texts[name] = unquoted(example)
	}
	if len(texts) == 0 {
		return nil
	}
	b.WriteString("Header: map[string]string{\n")
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		fmt.Fprintf(b, "%q: %s,\n", name, quoteGo(texts[name]))
	}
	b.WriteString("},\n")
	return nil
}

// unquoted returns a JSON string without its quotes, a list with commas between its items, and other JSON unchanged.
func unquoted(text string) string {
	var s string
	if json.Unmarshal([]byte(text), &s) == nil {
		return s
	}
	var list []json.RawMessage
	if json.Unmarshal([]byte(text), &list) != nil {
		return text
	}
	items := make([]string, len(list))
	for i := range list {
		items[i] = unquoted(string(list[i]))
	}
	return strings.Join(items, ",")
}

// example returns the example of a Media Type Object or Header Object with a schema: its example, the first of its examples
// by name, or one of the schema.
func (c *compiler) example(pointer string, schema *openapi.Schema) (string, error) {
	if text := c.json(pointer, "example"); text != "" {
		return text, nil
	}
	byName := func(a, b yamltree.Entry) int { return strings.Compare(a.Key, b.Key) }
	for _, e := range slices.SortedFunc(slices.Values(c.entries(pointer, "examples")), byName) {
		at, _ := c.at(pointer, "examples", e.Key)
		if text := c.json(at, "value"); text != "" {
			return text, nil
		}
	}
	if schema == nil {
		return "null", nil
	}
	s := c.schema(schema)
	var text bytes.Buffer
	if err := json.Compact(&text, []byte(sample(s, nil))); err != nil {
		return "", c.errorAt(schema.Pointer, "no example can be made of the schema: %v; write an example", err)
	}
	for _, v := range s.Check(text.Bytes()) {
		if v.Rule != "readOnly" { // a response may have it
			return "", c.errorAt(schema.Pointer, "the example that is made of the schema does not conform (%s): write an example", v)
		}
	}
	return text.String(), nil
}

// sample returns a value of a schema as JSON: its example, its default, or else the first value that is likely to conform.
// outer are the schemas around it.
func sample(s *check.Schema, outer []*check.Schema) string {
	if text := cmp.Or(s.Example, s.Default); text != "" {
		return text
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	if slices.Contains(outer, s) {
		return "null"
	}
	outer = append(slices.Clone(outer), s)
	fields := s.Fields()
	switch {
	case s.Type == "object", s.Type == "" && len(fields) > 0:
		return sampleObject(s, fields, outer)
	case s.Type == "array":
		items := make([]string, s.MinItems)
		for i := range items {
			items[i] = sample(cmp.Or(s.Items, &check.Schema{}), outer)
		}
		return "[" + strings.Join(items, ",") + "]"
	case s.Type == "string":
		return string(strictjson.AppendString(nil, []byte(sampleString(s))))
	case s.Type == "number", s.Type == "integer":
		return sampleNumber(s)
	case s.Type == "boolean":
		return "false"
	}
	for _, part := range slices.Concat(s.AllOf, s.OneOf, s.AnyOf) {
		if text := sample(part, outer); s.Check([]byte(text)) == nil {
			return text
		}
	}
	return "null"
}

// sampleObject has every property that a response can have, except optional ones that contain themselves, or that no value
// was found for.
func sampleObject(s *check.Schema, fields []check.Field, outer []*check.Schema) string {
	var list []string
	for _, f := range fields {
		contained := slices.Contains(outer, f.Schema) || slices.ContainsFunc(outer, func(o *check.Schema) bool { return reachable(f.Schema, false)[o] })
		if f.Schema.WriteOnly || contained && !f.Required {
			continue
		}
		text := sample(f.Schema, outer)
		if f.Required || f.Schema.Check([]byte(text)) == nil {
			list = append(list, string(strictjson.AppendString(nil, []byte(f.Name)))+":"+text)
		}
	}
	for i := len(list); i < s.MinProperties; i++ {
		list = append(list, fmt.Sprintf(`"property%d":`, i)+sample(cmp.Or(s.Additional, &check.Schema{}), outer))
	}
	return "{" + strings.Join(list, ",") + "}"
}

var formatSamples = map[string]string{
	"date-time": "2006-01-02T15:04:05Z", "date": "2006-01-02", "time": "15:04:05Z", "duration": "PT1S", "email": "user@example.com",
	"uri": "https://example.com/", "uri-reference": "/", "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
	"uuid": "00000000-0000-4000-8000-000000000000", "byte": "AAAA",
}

func sampleString(s *check.Schema) string {
	text := cmp.Or(formatSamples[s.Format], "text")
	if missing := s.MinLength - len(text); missing > 0 {
		text += strings.Repeat("x", missing)
	}
	if s.MaxLength != nil && len(text) > *s.MaxLength {
		text = text[:*s.MaxLength]
	}
	return text
}

// sampleNumber returns 0, or the number nearest to 0 that the limits allow.
func sampleNumber(s *check.Schema) string {
	candidates := []string{"0", "1", "-1", s.Minimum, s.Maximum, s.MultipleOf}
	for _, limit := range []string{s.Minimum, s.Maximum} {
		candidates = append(candidates, nearby(limit, cmp.Or(s.MultipleOf, "1"))...)
	}
	for _, text := range candidates {
		if text != "" && s.Check([]byte(text)) == nil {
			return text
		}
	}
	return "0"
}

// nearby returns the multiples of a number around another.
func nearby(limit, step string) (list []string) {
	l, isNumber := new(big.Rat).SetString(limit)
	s, _ := new(big.Rat).SetString(step)
	if !isNumber || s == nil {
		return nil
	}
	quotient := new(big.Rat).Quo(l, s)
	multiple := new(big.Int).Div(quotient.Num(), quotient.Denom())
	for range 3 { // the one below, the one above, and the next, as a limit may be exclusive
		r := new(big.Rat).SetInt(multiple)
		r.Mul(r, s)
		text := r.Num().String()
		if !r.IsInt() {
			text = strings.TrimRight(r.FloatString(20), "0")
		}
		list = append(list, text)
		multiple.Add(multiple, big.NewInt(1))
	}
	return list
}
