package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
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
// the first invalid parameter and what is wrong with it. Objects, and the styles label and matrix, are left to the
// generated server, which decodes every parameter once more.
func readArguments(o *fleetioserver.Operation, r *http.Request) (list []argument, invalid *fleetioserver.Parameter, problem string) {
	query, valid := readQuery(r.URL.RawQuery)
	for i := range o.Parameters {
		p := &o.Parameters[i]
		if typeOf(p.Schema) == "object" || p.Style == "label" || p.Style == "matrix" {
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
type query [][2]string

func readQuery(raw string) (q query, valid bool) {
	valid = true
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		for _, s := range []*string{&name, &value} {
			decoded, err := url.QueryUnescape(*s)
			valid = valid && err == nil
			*s = decoded
		}
		if name != "" {
			q = append(q, [2]string{name, value})
		}
	}
	return q, valid
}

func (q query) index(name string) int {
	return slices.IndexFunc(q, func(pair [2]string) bool { return pair[0] == name })
}

// textsOf returns the values of a parameter; nil if it is absent.
func textsOf(p *fleetioserver.Parameter, r *http.Request, q query) (texts []string) {
	switch p.In {
	case "path":
		return []string{r.PathValue(p.Name)}
	case "header":
		return r.Header.Values(p.Name)
	case "cookie":
		for _, cookie := range r.CookiesNamed(p.Name) {
			texts = append(texts, cookie.Value)
		}
	default:
		for _, pair := range q {
			if pair[0] == p.Name {
				texts = append(texts, pair[1])
			}
		}
	}
	return texts
}

var separators = map[string]string{"spaceDelimited": " ", "pipeDelimited": "|"}

// decode sets the value of an argument, and returns what is wrong with it; "" for nothing.
func (a *argument) decode() (problem string) {
	isList := itemsOf(a.Schema) != nil
	switch {
	case isList && a.Style != "json" && (!a.Explode || a.In != "query"):
		a.texts = strings.Split(a.texts[0], cmp.Or(separators[a.Style], ","))
	case !isList && len(a.texts) > 1:
		return "is there more than once"
	}
	schema := a.Schema
	if isList {
		schema = itemsOf(a.Schema)
	}
	var items []string
	for _, text := range a.texts {
		items = append(items, asJSON(schema, text))
	}
	switch {
	case a.Style == "json":
		a.value = a.texts[0]
	case isList:
		a.value = list(items)
	default:
		a.value = items[0]
	}
	for _, v := range a.Schema.Check([]byte(a.value)) {
		return message(v.Rule, v.Limit)
	}
	return ""
}

// asJSON returns the text of a parameter as JSON of its type; as a string if the text is no such JSON.
func asJSON(s *fleetioapi.Schema, text string) string {
	switch t := typeOf(s); {
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
	c, name := exchangeOf(w), ""
	if format, ok := errors.AsType[*fleetioserver.InvalidParamFormatError](err); ok {
		name = format.ParamName
	}
	i := slices.IndexFunc(c.operation.Parameters, func(p fleetioserver.Parameter) bool { return p.Name == name })
	c.invalidParameter(&c.operation.Parameters[max(i, 0)], "is invalid")
}
