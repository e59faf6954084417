package suggest

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/fleetcontract/fleetio-go/conformance"
)

// edits change the spec for a deviation, by its rule. They return fields to set beside the keyword, or nil where it was
// enough to remove it. An error says why there is no such change.
var edits = map[string]func(*patch, *deviation) (object, error){
	"minimum": bound, "maximum": bound, "minLength": bound, "maxLength": bound, "minItems": bound, "maxItems": bound,
	"minProperties": bound, "maxProperties": bound, "exclusiveMinimum": remove, "exclusiveMaximum": remove, "pattern": remove,
	"enum": remove, "multipleOf": remove, "not": remove, "uniqueItems": remove, "format": remove, "anyOf": remove,
	"oneOf": remove, "nullable": allow, "allowEmptyValue": allow, "type": widenType, "required": notRequired,
	"additionalProperties": addProperty, "undocumented-property": addProperty, "undocumented-header": addHeader,
	"status": addStatus, "media-type": addMediaType, "body": body,
	"criterion": func(p *patch, of *deviation) (object, error) { return nil, p.dropCriterion(of.at) },
}

// remove removes a keyword: what it would have to say instead, the report does not know.
func remove(p *patch, of *deviation) (object, error) {
	p.remove(of.at...)
	return nil, nil
}

// bound moves a bound to what was observed, or removes it where that is unknown, or YAML would not keep the number as it is.
func bound(p *patch, of *deviation) (object, error) {
	number, size := of.observed.Maximum.String(), of.observed.MaxSize
	if strings.Contains(strings.ToLower(of.rule), "min") {
		number, size = of.observed.Minimum.String(), of.observed.MinSize
	}
	switch ofNumber := strings.HasSuffix(of.rule, "imum"); {
	case ofNumber && plainNumber.MatchString(number):
		var limit any
		_ = yaml.Unmarshal([]byte(number), &limit)
		return object{of.rule: limit}, nil
	case !ofNumber && size != nil:
		return object{of.rule: *size}, nil
	default:
		return remove(p, of)
	}
}

// plainNumber is a number that YAML tools read and write as it is, without an exponent.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17}|[0-9]{1,8}\.[0-9]{1,4})$`)

func allow(_ *patch, of *deviation) (object, error) { return object{of.rule: true}, nil }

// widenType makes room for the types observed. OpenAPI 3.0 has one type for a schema, and anyOf for more.
func widenType(p *patch, of *deviation) (object, error) {
	old, isText := get(p.root, of.at...).(string)
	inBody := of.kinds[0].Part == conformance.RequestBody || of.kinds[0].Part == conformance.ResponseBody
	if !isText || len(of.observed.Types) == 0 || !inBody {
		return nil, errors.New("the report does not say which types were observed, or it is a parameter's or header's")
	}
	if enum := below(of.into, "enum"); get(p.root, enum...) != nil { // it would reject the new type, too
		if err := p.loosen(enum...); err != nil {
			return nil, err
		}
		p.remove(enum...)
	}
	schemas := of.schemas(old)
	if len(schemas) == 1 {
		return schemas[0].(object), nil //nolint:forcetypeassert // schemas makes objects
	}
	p.remove(of.at...)
	p.loosened = append(p.loosened, pointerOf(below(of.into, "nullable"))) // now anyOf rejects null
	return object{"anyOf": schemas}, nil
}

// schemas are one for each type observed, besides others.
func (of *deviation) schemas(others ...string) (list []any) {
	names := slices.Concat(others, of.observed.Types)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		schema := object{"type": name}
		if name == "array" {
			schema["items"] = object{}
		}
		if name != "null" && (name != "integer" || !slices.Contains(names, "number")) {
			list = append(list, schema)
		}
	}
	return list
}

// notRequired removes a property from the list, or lets a parameter or header be absent.
func notRequired(p *patch, of *deviation) (object, error) {
	if _, isKeyword := get(p.root, of.at...).(bool); isKeyword {
		return object{"required": false}, nil
	}
	p.removeEntry(of.at)
	return nil, nil
}

// addProperty documents a property. In what requests are made of, too, it says nothing of the type, as that would narrow
// what they may hold.
func addProperty(p *patch, of *deviation) (object, error) {
	if of.drift && !slices.ContainsFunc(of.kinds, func(k conformance.Deviation) bool { return k.Part == conformance.ResponseBody }) {
		return nil, errors.New("servers ignore properties of requests that they do not know: correct its name in the client, or document it")
	}
	inside := of.at[len(of.at)-1] == "properties" || !of.drift
	if _, combined := get(p.root, below(of.at, "allOf")...).([]any); !inside || combined {
		of.into = of.at
	}
	inRequest := slices.ContainsFunc(p.claims, func(c conformance.Claim) bool {
		return c.Part == conformance.RequestBody && strings.HasPrefix(placeOf(c.ID), pointerOf(of.into)+"/")
	})
	schema := object{}
	if schemas := of.schemas(); !of.drift || !inRequest {
		if len(schemas) == 1 {
			schema = p.marked(nil, schemas[0].(object), "type") //nolint:forcetypeassert // as above
		}
		if slices.Contains(of.observed.Types, "null") {
			schema["nullable"] = true
			schema = p.marked(nil, schema, "nullable")
		}
	}
	schema["description"] = of.reason()
	return object{"properties": object{of.name: schema}}, checkName(of.name)
}

// checkName rejects what the report shows in place of a name.
func checkName(name string) error {
	if placeholder.MatchString(name) {
		return fmt.Errorf("the report does not hold the name, but %s", name)
	}
	return nil
}

var placeholder = regexp.MustCompile(`\[[a-z]+\]|\(a name of `)

func addHeader(_ *patch, of *deviation) (object, error) {
	if of.at[len(of.at)-1] != "headers" {
		of.into = of.at
	}
	header := object{"description": of.reason(), "schema": object{"type": "string", assumedKey: object{"type": of.reason()}}}
	return object{"headers": object{of.name: header}}, checkName(of.name)
}

// addStatus documents a response by the media types of its body. Nothing is claimed of the body itself.
func addStatus(p *patch, of *deviation) (_ object, err error) {
	response := object{}
	if slices.Contains(of.observed.Bodies, "present") {
		response, err = addMediaType(p, of)
		switch {
		case err != nil:
			return nil, err
		case slices.Contains(of.observed.Bodies, "absent"):
			err = errAtTimes
		}
	}
	return object{"responses": object{of.name: merged(response, object{"description": of.reason()})}}, err
}

var errAtTimes = errors.New("OpenAPI 3.0 cannot say that a response may have a body or none, and both were observed")

// addMediaType documents the media types observed.
func addMediaType(p *patch, of *deviation) (object, error) {
	content := object{}
	for _, name := range of.observed.MediaTypes {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if get(p.root, below(of.at, name)...) == nil {
			content[name] = object{}
		}
	}
	if len(content) == 0 {
		return nil, errors.New("the report has no media types that are not documented")
	}
	return object{"content": content}, nil
}

// body documents that a body is missing, or that there is one.
func body(p *patch, of *deviation) (object, error) {
	ofContent := of.at[len(of.at)-1] == "content"
	missing := ofContent && len(namesOf(get(p.root, of.at...))) > 0
	if missing && of.kinds[0].Part == conformance.RequestBody {
		return object{"required": false}, nil
	}
	if !ofContent {
		of.into = of.at
	}
	exchanges := 0
	for _, k := range of.kinds {
		if exchanges += k.Exchanges; p.evidence[k.Claim].Supported > 0 {
			return nil, errAtTimes
		}
	}
	if of.drift && p.evidence["response.status#"+pointerOf(of.into)].Supported > exchanges {
		return nil, errAtTimes
	}
	if !missing {
		return addMediaType(p, of)
	}
	for _, k := range of.kinds {
		p.bodiless = append(p.bodiless, p.evidence[k.Claim].Uses...)
	}
	p.remove(of.at...)
	criteria, _ := get(p.root, below(of.into, criteriaKey)...).([]any)
	for _, criterion := range criteria { // those about the body
		name, _ := get(criterion, "name").(string)
		if strings.Contains(fmt.Sprint(criterion), "$response.body") {
			if err := p.dropCriterion(below(of.into, criteriaKey, name, "condition")); err != nil {
				return nil, err
			}
		}
	}
	return object{"content": object{}}, nil
}

// dropCriterion removes the criterion of a condition.
func (p *patch) dropCriterion(condition []string) error {
	if len(condition) < 4 || get(p.root, condition...) == nil {
		return nil
	}
	err := p.loosen(condition...)
	if err == nil {
		p.removeEntry(condition[:len(condition)-1])
	}
	return err
}
