package mutate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/fleetcontract/fleetio-go/conformance"
	"github.com/fleetcontract/fleetio-go/conformance/traffic"
	"github.com/fleetcontract/fleetio-go/internal/generate"
)

// reference is a JSON Schema library, which says of the same bodies whether they are valid.
type reference struct {
	contract *contract
	schemas  map[conformance.Part]map[*media]*jsonschema.Schema
	used     map[string]bool // known differences
}

// knownDifferences are texts that the reference validator takes for well-formed, by their format: addresses without a name
// or with a dot at the end, and characters that no URI has. One that explains nothing fails TestSelftest.
var knownDifferences = map[string]*regexp.Regexp{
	"email":         regexp.MustCompile(`^@|\.$`),
	"uri":           regexp.MustCompile("[^!#-;=?-Z_a-z~]|#.*#"),
	"uri-reference": regexp.MustCompile("[^!#-;=?-Z_a-z~]|#.*#"),
}

func newReference(t testing.TB, c *contract) *reference {
	t.Helper()
	r := &reference{c, map[conformance.Part]map[*media]*jsonschema.Schema{}, map[string]bool{}}
	for _, part := range []conformance.Part{conformance.RequestBody, conformance.ResponseBody} {
		data, err := c.doc.MarshalJSON()
		require.NoError(t, err)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		require.NoError(t, err)
		inheritance(doc)
		translate(doc, doc, part)
		compiler := jsonschema.NewCompiler()
		compiler.DefaultDraft(jsonschema.Draft4)
		compiler.AssertFormat()
		for name, valid := range openAPIFormats {
			compiler.RegisterFormat(&jsonschema.Format{Name: name, Validate: valid})
		}
		url := "https://spec.example/" + string(part)
		require.NoError(t, compiler.AddResource(url, doc))
		r.schemas[part] = map[*media]*jsonschema.Schema{}
		for _, of := range c.combinations() {
			m := of.response
			if part == conformance.RequestBody {
				m = of.request
			}
			if m != nil && m.schema.At != "" {
				r.schemas[part][m], err = compiler.Compile(url + "#" + m.schema.At)
				require.NoError(t, err)
			}
		}
	}
	return r
}

// openAPIFormats are those that JSON Schema does not have.
var openAPIFormats = map[string]func(any) error{
	"int32": integerOf(31),
	"int64": integerOf(63),
	"byte": func(v any) error {
		text, _ := v.(string)
		if strings.ContainsAny(text, "\r\n") {
			return errors.New("a line break")
		}
		_, err := base64.StdEncoding.DecodeString(text)
		return err
	},
}

func integerOf(bits uint) func(any) error {
	return func(v any) error {
		number, isNumber := v.(json.Number)
		r, _ := new(big.Rat).SetString(number.String())
		if !isNumber || r == nil || !r.IsInt() {
			return nil
		}
		if n := r.Num(); n.BitLen() > int(bits) && n.Cmp(new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), bits))) != 0 {
			return errors.New("too wide")
		}
		return nil
	}
}

// translate makes JSON Schema (draft 4) of the schemas of a spec, as the sender of a part has to read them.
func translate(doc, v any, part conformance.Part) {
	if list, isList := v.([]any); isList {
		for _, item := range list {
			translate(doc, item, part)
		}
	}
	object, _ := v.(map[string]any)
	for _, name := range generate.SortedKeys(object) {
		translate(doc, object[name], part)
	}
	if object["nullable"] == true {
		if enum, has := object["enum"].([]any); has && !slices.Contains(enum, nil) {
			object["enum"] = append(enum, nil)
		}
		object["type"] = []any{object["type"], "null"}
	}
	left := map[conformance.Part]string{conformance.RequestBody: "readOnly", conformance.ResponseBody: "writeOnly"}[part]
	properties, _ := object["properties"].(map[string]any)
	for name, of := range properties {
		if resolved(doc, of)[left] == true {
			if part == conformance.ResponseBody { // a readOnly property in a request is worth a note only
				properties[name] = map[string]any{"not": map[string]any{}, left: true}
			}
			if required, has := object["required"].([]any); has {
				object["required"] = slices.DeleteFunc(required, func(v any) bool { return v == name })
			}
		}
	}
	if required, has := object["required"].([]any); has && len(required) == 0 {
		delete(object, "required") // draft 4 has no empty one
	}
	discriminator, _ := object["discriminator"].(map[string]any)
	for _, keyword := range []string{"oneOf", "anyOf"} {
		alternatives, _ := object[keyword].([]any)
		for i := range alternatives {
			if discriminator != nil {
				alternatives[i] = chosenBy(doc, discriminator, alternatives[i])
			}
		}
	}
	// required is waived by the properties of all schemas that are combined.
	parts, _ := object["allOf"].([]any)
	for _, a := range parts {
		for _, b := range parts {
			properties, _ := resolved(doc, b)["properties"].(map[string]any)
			if required, has := resolved(doc, a)["required"].([]any); has {
				required = slices.DeleteFunc(required, func(name any) bool { return resolved(doc, properties[generate.AsText(name)])[left] == true })
				if resolved(doc, a)["required"] = required; len(required) == 0 {
					delete(resolved(doc, a), "required")
				}
			}
		}
	}
	for i := range parts {
		if object["nullable"] == true {
			parts[i] = map[string]any{"anyOf": []any{parts[i], map[string]any{"enum": []any{nil}}}}
		}
	}
}

// isAlias reports whether a reference leads to a schema that is nothing but an allOf of another one.
func isAlias(doc, target any, ref string) bool {
	parts, _ := resolved(doc, map[string]any{"$ref": target})["allOf"].([]any)
	return len(parts) == 1 && generate.AsText(parts[0].(map[string]any)["$ref"]) == ref
}

// inheritance replaces each discriminator without alternatives by conditions: a value that names a child is valid against
// the child, too. The children extend the schema without the conditions.
func inheritance(doc any) {
	all, _ := generate.Lookup(doc, []string{"components", "schemas"})
	schemas, _ := all.(map[string]any)
	for _, name := range generate.SortedKeys(schemas) {
		parent, _ := schemas[name].(map[string]any)
		discriminator, _ := parent["discriminator"].(map[string]any)
		if discriminator == nil || parent["oneOf"] != nil || parent["anyOf"] != nil {
			continue
		}
		delete(parent, "discriminator")
		schemas[name+".own"] = generate.Decode(generate.Encode(parent))
		ref, conditions := "#/components/schemas/"+name, []any{}
		for _, child := range generate.SortedKeys(schemas) {
			parts, _ := resolved(doc, schemas[child])["allOf"].([]any)
			for _, part := range parts {
				if part, _ := part.(map[string]any); part["$ref"] == ref {
					part["$ref"] = ref + ".own"
					named := chosenBy(doc, discriminator, map[string]any{"$ref": "#/components/schemas/" + child}).(map[string]any)["allOf"].([]any)
					conditions = append(conditions, map[string]any{"anyOf": []any{map[string]any{"not": named[1]}, named[0]}})
				}
			}
		}
		parent["allOf"] = conditions
	}
}

func resolved(doc, schema any) map[string]any {
	object, _ := schema.(map[string]any)
	if ref, isRef := object["$ref"].(string); isRef {
		target, _ := generate.Lookup(doc, generate.Tokens(strings.TrimPrefix(ref, "#")))
		return resolved(doc, target)
	}
	return object
}

// chosenBy is an alternative that the value of a property must name.
func chosenBy(doc any, discriminator map[string]any, alternative any) any {
	ref, _ := alternative.(map[string]any)["$ref"].(string)
	names := []any{strings.TrimPrefix(ref, "#/components/schemas/")}
	mapping, _ := discriminator["mapping"].(map[string]any)
	for name, target := range mapping {
		if target == ref || target == names[0] || isAlias(doc, target, ref) {
			names = append(names, name)
		}
	}
	property := generate.AsText(discriminator["propertyName"])
	return map[string]any{"allOf": []any{alternative, map[string]any{"required": []any{property},
		"properties": map[string]any{property: map[string]any{"enum": names}}}}}
}

// textRules are about the text of a body: what the reference validator would read is not what was written.
var textRules = []string{"json", "unicode", "duplicate-key", "body", "media-type"}

// differences compares the reference validator with what an exchange violates.
func (r *reference) differences(ex *traffic.Exchange, violations []Expectation) (all []string) {
	op := r.contract.operationOf(ex)
	sides := map[conformance.Part]*content{}
	if to := op.responseTo(ex.Status); to != nil {
		sides[conformance.ResponseBody] = to.content
	}
	if ex.Status/100 == 2 {
		sides[conformance.RequestBody] = op.request
	}
	for part, content := range sides {
		message := ex.Response
		if part == conformance.RequestBody {
			message = ex.Request
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(message.Body))
		schema := r.schemaFor(part, content, message.Header.Get("Content-Type"))
		if err != nil || schema == nil || message.BodyOmitted || !isJSON(message.Header.Get("Content-Type")) {
			continue
		}
		if slices.ContainsFunc(violations, func(e Expectation) bool { return slices.Contains(textRules, e.Rule) }) {
			continue
		}
		violated := slices.DeleteFunc(slices.Clone(violations), func(e Expectation) bool {
			return e.Part != part || e.isNote() || e.Rule == "criterion"
		})
		err = schema.Validate(v)
		if err == nil {
			violated = slices.DeleteFunc(violated, func(e Expectation) bool { return r.known(v, e) })
		}
		if (err != nil) != (len(violated) > 0) {
			all = append(all, fmt.Sprintf("%s: the reference validator says %v of %.300s", part, err, message.Body))
		}
	}
	return all
}

func (r *reference) schemaFor(part conformance.Part, of *content, mediaType string) *jsonschema.Schema {
	if of == nil {
		return nil
	}
	i := slices.IndexFunc(of.media, func(m *media) bool { return strings.EqualFold(concrete(m.name), mediaType) })
	if i < 0 && len(of.media) == 1 {
		i = 0
	}
	if i < 0 {
		return nil
	}
	return r.schemas[part][of.media[i]]
}

// known reports whether a violation is a known difference.
func (r *reference) known(v any, e Expectation) bool {
	_, at, _ := strings.Cut(e.Claim, "#")
	at, isFormat := strings.CutSuffix(at, "/format")
	if n := r.contract.schemas[at]; isFormat && n != nil && knownDifferences[n.Format] != nil {
		text, _ := generate.Lookup(v, generate.Tokens(e.Pointer))
		if knownDifferences[n.Format].MatchString(generate.AsText(text)) {
			r.used[n.Format] = true
			return true
		}
	}
	return false
}
