package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/fleetcontract/fleetio-go/gen/fleetioapi"
	"github.com/fleetcontract/fleetio-go/gen/fleetioserver"
)

// argument is the value of a parameter in a request.
type argument struct {
	*fleetioserver.Parameter

	texts []string // one, or the items of a list
	value string   // as JSON
}

// readArguments decodes the parameters of a request and checks them; those of the query are in its order. It returns
// the first invalid parameter and what is wrong with it. Objects that are not JSON, and the styles label and matrix, are
// left to the generated server, which decodes every parameter once more.
func readArguments(o *fleetioserver.Operation, r *http.Request) (list []argument, invalid *fleetioserver.Parameter, problem string) {
	query, valid := readQuery(r.URL.RawQuery)
	for i := range o.Parameters {
		p := &o.Parameters[i]
		if p.Schema.Typed().Type == "object" && p.Style != "json" || p.Style == "label" || p.Style == "matrix" {
			continue
		}
		a := argument{Parameter: p, texts: textsOf(p, r, query)}
		switch {
		case a.texts == nil && p.Required:
			return nil, p, message("required", "")
		case a.texts == nil:
			continue
		case !valid:
			return nil, p, "is not valid in a URL"
		}
		if problem = a.decode(); problem != "" {
			return nil, p, problem
		}
		list = append(list, a)
	}
	slices.SortStableFunc(list, func(a, b argument) int { return cmp.Compare(query.index(a.Name), query.index(b.Name)) })
	return list, nil, ""
}

// query is the query of a URL in its order, which [url.Values] does not keep.
type query []pair

type pair struct {
	name, value string
	raw         string // the value with its escapes
}

func readQuery(raw string) (q query, valid bool) {
	valid = true
	for text := range strings.SplitSeq(raw, "&") {
		p := pair{}
		p.name, p.raw, _ = strings.Cut(text, "=")
		p.name, p.value = unescape(p.name, &valid), unescape(p.raw, &valid)
		if p.name != "" {
			q = append(q, p)
		}
	}
	return q, valid
}

// unescape decodes a part of a query, and sets valid to false if it cannot.
func unescape(s string, valid *bool) string {
	decoded, err := url.QueryUnescape(s)
	*valid = *valid && err == nil
	return decoded
}

func (q query) index(name string) int {
	return slices.IndexFunc(q, func(p pair) bool { return p.name == name })
}

// textsOf returns the values of a parameter; nil if it is absent. A list in one value is split at its separators, which
// have no escapes.
func textsOf(p *fleetioserver.Parameter, r *http.Request, q query) (texts []string) {
	split := func(s string) []string {
		if itemsOf(p.Schema) == nil || p.Style == "json" || p.Explode && p.In == "query" {
			return []string{s}
		}
		return strings.Split(s, cmp.Or(separators[p.Style], ","))
	}
	switch p.In {
	case "path":
		return split(r.PathValue(p.Wildcard))
	case "header":
		if values := r.Header.Values(p.Name); values != nil {
			return split(strings.Join(values, ","))
		}
	case "cookie":
		for _, cookie := range r.CookiesNamed(p.Name) {
			texts = append(texts, split(cookie.Value)...)
		}
	default:
		valid := true
		for _, pair := range q {
			if pair.name == p.Name {
				for _, text := range split(pair.raw) {
					texts = append(texts, unescape(text, &valid))
				}
			}
		}
	}
	return texts
}

var separators = map[string]string{"spaceDelimited": "%20", "pipeDelimited": "|"}

// decode sets the value of an argument, and returns what is wrong with it; "" for nothing.
func (a *argument) decode() (problem string) {
	items := itemsOf(a.Schema)
	if items == nil && len(a.texts) > 1 {
		return "is there more than once"
	}
	var values []string
	for _, text := range a.texts {
		values = append(values, asJSON(cmp.Or(items, a.Schema), text))
	}
	switch {
	case a.Style == "json":
		a.value = a.texts[0]
	case items != nil:
		a.value = list(values)
	default:
		a.value = values[0]
	}
	for _, v := range a.Schema.Check([]byte(a.value)) {
		return message(v.Rule, v.Limit)
	}
	return ""
}

// asJSON returns the text of a parameter as JSON of its type; as a string if the text is no such JSON.
func asJSON(s *fleetioapi.Schema, text string) string {
	switch t := s.Typed().Type; {
	case (t == "integer" || t == "number") && json.Valid([]byte(text)) && strings.Trim(text, "-0123456789.eE+") == "",
		t == "boolean" && (text == "true" || text == "false"):
		return text
	}
	return quote(text)
}

// invalidParameter responds to an invalid parameter as the contract allows it: with a 400, or else a 404 for one in the
// path, or else a 422.
func (c *exchange) invalidParameter(p *fleetioserver.Parameter, problem string) {
	switch detail := "The parameter " + p.Name + " " + problem + "."; {
	case documents(c.operation, http.StatusBadRequest):
		c.problem(http.StatusBadRequest, detail)
	case p.In == "path":
		c.problem(http.StatusNotFound, detail)
	default:
		c.invalid(map[string][]string{p.Name: {problem}})
	}
}

// undecodable responds to a parameter that the generated server cannot decode, although it is valid, such as a number
// that no Go type holds.
func undecodable(w http.ResponseWriter, _ *http.Request, err error) {
	c := exchangeOf(w)
	name := reflect.ValueOf(err).Elem().FieldByName("ParamName").String() // each of the server's errors has it
	i := slices.IndexFunc(c.operation.Parameters, func(p fleetioserver.Parameter) bool { return p.Name == name })
	c.invalidParameter(&c.operation.Parameters[i], "is invalid")
}
