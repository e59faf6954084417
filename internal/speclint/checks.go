package speclint

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fleetcontract/fleetio-go/internal/strictjson"
	"github.com/fleetcontract/fleetio-go/internal/yamltree"
)

// checks are about what the grammar cannot say, by the kind of the object.
var checks map[string]func(l *linter, at string, n *yamltree.Node)

func init() { //nolint:gochecknoinits // the checks refer to the map
	checks = map[string]func(l *linter, at string, n *yamltree.Node){
		"schema": (*linter).schema, "responses": (*linter).responses, "operation": (*linter).operationID,
		"parameter": (*linter).parameter, "header": (*linter).header, "encoding": (*linter).encoding,
		"paths": (*linter).paths, "server": (*linter).server, "securityScheme": (*linter).securityScheme,
		"requirement": (*linter).requirement, "discriminator": (*linter).discriminator,
	}
}

var statusKey = regexp.MustCompile(`^(?:[1-5](?:[0-9]{2}|XX|xx)|default)$`)

func (l *linter) responses(at string, n *yamltree.Node) {
	documented := 0
	for _, e := range n.Entries {
		if strings.HasPrefix(e.Key, "x-") {
			continue
		}
		if documented++; !statusKey.MatchString(e.Key) {
			l.errorf(at+token(e.Key), "%q is no status: use one such as 200, a range such as 2XX, or default", e.Key)
		}
	}
	if documented == 0 {
		l.errorf(at, "an operation needs at least one response")
	}
}

func (l *linter) operationID(at string, n *yamltree.Node) {
	id := l.text(n, "operationId")
	if first, known := l.operationIDs[id]; known && id != "" {
		l.errorf(at+"/operationId", "the operationId %q is that of another operation, at #%s", id, first)
	}
	l.operationIDs[id] = at
}

var templated = regexp.MustCompile(`\{([^{}]*)\}`)

// paths checks the templates of all paths, and that the parameters in the templates are those of the operations.
func (l *linter) paths(at string, n *yamltree.Node) {
	normalized := map[string]string{}
	for _, e := range n.Entries {
		if strings.HasPrefix(e.Key, "x-") {
			continue
		}
		here := at + token(e.Key)
		if !strings.HasPrefix(e.Key, "/") {
			l.errorf(here, "a path starts with a slash")
			continue
		}
		key := templated.ReplaceAllString(e.Key, "{}")
		if other := normalized[key]; other != "" {
			l.errorf(here, "the path is the same as %s", other)
		}
		normalized[key] = e.Key
		var names []string
		for _, match := range templated.FindAllStringSubmatch(e.Key, -1) {
			names = append(names, match[1])
		}
		_, item := l.tree.Dereference(here, e.Node)
		l.pathParameters(here, item, names)
	}
}

func (l *linter) pathParameters(at string, item *yamltree.Node, names []string) {
	shared := l.parameterNames(at, item)
	for _, e := range item.Entries {
		if objects["pathItem"].fields[e.Key] != "operation" {
			continue
		}
		l.operation = true
		declared := l.parameterNames(at+"/"+e.Key, e.Node)
		maps.Copy(declared, shared)
		for _, name := range names {
			if !declared["path "+name] {
				l.errorf(at+"/"+e.Key, "the path has {%s}, and no parameter in path has this name", name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(declared)) {
			if inPath, ok := strings.CutPrefix(name, "path "); ok && !slices.Contains(names, inPath) {
				l.errorf(at+"/"+e.Key, "the parameter %q is in path, and the path has no {%s}", inPath, inPath)
			}
		}
	}
}

// parameterNames returns the parameters of an operation or a path item: where they are, and their names.
func (l *linter) parameterNames(at string, n *yamltree.Node) map[string]bool {
	names := map[string]bool{}
	list := l.child(n, "parameters")
	if list == nil {
		return names
	}
	for i, e := range list.Entries {
		_, p := l.tree.Dereference(at, e.Node)
		name := l.text(p, "in") + " " + l.text(p, "name")
		if names[name] {
			l.errorf(at+"/parameters/"+strconv.Itoa(i), "the parameter %q is there twice", l.text(p, "name"))
		}
		names[name] = true
	}
	return names
}

// styles are the styles of parameters by where they are (OpenAPI 3.0.3, Style Values).
var styles = map[string][]string{"path": {"simple", "label", "matrix"}, "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
	"header": {"simple"}, "cookie": {"form"}}

func (l *linter) parameter(at string, n *yamltree.Node) {
	in := l.text(n, "in")
	switch {
	case l.child(n, "in") != nil && styles[in] == nil:
		l.errorf(at+"/in", "%q is no place of a parameter: use path, query, header or cookie", in)
	case in == "path" && l.text(n, "required") != "true":
		l.errorf(at, "a parameter in path needs required: true")
	}
	l.style(at, n, styles[in])
	l.schemaOrContent(at, n, "parameter")
}

func (l *linter) header(at string, n *yamltree.Node) {
	l.style(at, n, styles["header"])
	l.schemaOrContent(at, n, "header")
}

func (l *linter) encoding(at string, n *yamltree.Node) { l.style(at, n, styles["query"]) }

func (l *linter) style(at string, n *yamltree.Node, allowed []string) {
	if style := l.text(n, "style"); style != "" && allowed != nil && !slices.Contains(allowed, style) {
		l.errorf(at+"/style", "%q is no style here: use %s", style, strings.Join(allowed, ", "))
	}
}

func (l *linter) schemaOrContent(at string, n *yamltree.Node, kind string) {
	content := l.child(n, "content")
	switch schema := l.child(n, "schema"); {
	case (schema == nil) == (content == nil):
		l.errorf(at, "a %s needs a schema or a content, and not both", kind)
	case content != nil && len(content.Entries) != 1:
		l.errorf(at+"/content", "the content of a %s has one media type", kind)
	}
}

func (l *linter) server(at string, n *yamltree.Node) {
	address, variables := l.text(n, "url"), l.child(n, "variables")
	if strings.Count(address, "{") != strings.Count(address, "}") {
		l.errorf(at+"/url", "a brace is not closed, or not opened")
		return
	}
	for _, match := range templated.FindAllStringSubmatch(address, -1) {
		if variables == nil || l.child(variables, match[1]) == nil {
			l.errorf(at+"/url", "the variable %q is not among the variables", match[1])
		}
	}
	if variables == nil {
		return
	}
	for _, e := range variables.Entries {
		if !strings.Contains(address, "{"+e.Key+"}") {
			l.ignoref(at+"/variables"+token(e.Key), "a variable that the URL does not have")
		}
	}
}

// schemeFields are the fields that a type of security scheme needs; the other types have none of these.
var schemeFields = map[string][]string{"apiKey": {"name", "in"}, "http": {"scheme"}, "oauth2": {"flows"}, "openIdConnect": {"openIdConnectUrl"}}

func (l *linter) securityScheme(at string, n *yamltree.Node) {
	scheme := l.text(n, "type")
	needed, known := schemeFields[scheme]
	if !known {
		if scheme != "" {
			l.errorf(at+"/type", "%q is no type of a security scheme: use apiKey, http, oauth2 or openIdConnect", scheme)
		}
		return
	}
	for _, name := range needed {
		if l.text(n, name) == "" && (name != "flows" || l.child(n, name) == nil) {
			l.errorf(at, "a security scheme of type %s needs the field %s", scheme, name)
		}
	}
	if in := l.text(n, "in"); scheme == "apiKey" && in != "" && in != "query" && in != "header" && in != "cookie" {
		l.errorf(at+"/in", "%q is no place of an API key: use header, query or cookie", in)
	}
}

func (l *linter) requirement(at string, n *yamltree.Node) {
	for _, e := range n.Entries {
		l.requirements = append(l.requirements, at+token(e.Key))
	}
}

// securityRequirements checks the requirements at the end, when all references are resolved.
func (l *linter) securityRequirements() {
	for _, at := range l.requirements {
		name := lastToken(at)
		scheme := l.tree.Node("/components/securitySchemes" + token(name))
		if scheme == nil {
			l.errorf(at, "undefined security scheme %q", name)
		}
	}
}

// discriminator checks the targets of the mapping that are references; names need no schema to be there.
func (l *linter) discriminator(at string, n *yamltree.Node) {
	mapping := l.child(n, "mapping")
	if mapping == nil {
		return
	}
	for _, e := range mapping.Entries {
		isFile := slices.Contains([]string{".json", ".yaml", ".yml"}, path.Ext(e.Text)) && l.tree.Node("/components/schemas"+token(e.Text)) == nil
		if e.Type == strictjson.String && (strings.ContainsAny(e.Text, "#/") || isFile) {
			target, err := l.tree.Resolve(at, e.Node)
			if err != nil {
				l.errorf(at+"/mapping"+token(e.Key), "%v", err)
				continue
			}
			l.value(target, l.tree.Node(target), "&schema")
		}
	}
}
