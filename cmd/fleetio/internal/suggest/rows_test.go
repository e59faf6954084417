package suggest_test

import (
	"net/http"
	"testing"
)

const item = "/components/schemas/Item/"

func answers(changes ...string) []call {
	var list []call
	for _, c := range changes {
		list = append(list, call{response: c})
	}
	return list
}

func plainText(status int, text string) call {
	return call{status: status, body: text, got: http.Header{"Content-Type": {"text/plain; charset=utf-8"}}}
}

func TestShop(t *testing.T) {
	t.Parallel()
	shop(t).run(t, shopRows(), "shop.golden")
}

func shopRows() []suggestion {
	item := func(keyword string) []string { return []string{item + "properties/" + keyword} }
	return []suggestion{
		{name: "minimum and maximum", calls: answers(`{"count":-3}`, `{"count":0}`, `{"count":12}`),
			changes: []string{item("count/minimum")[0], item("count/maximum")[0]}},
		{name: "bound with an exponent", calls: answers(`{"count":2e1}`), changes: item("count/maximum")},
		{name: "bound marked above", calls: answers(`{"deep":4}`), changes: item("deep/maximum")},
		{name: "bound too long to keep", calls: answers(`{"deep":` + "1" + zeros(60) + `}`), changes: item("deep/maximum"), alone: true},
		{name: "bound beyond 64 bits", calls: answers(`{"deep":123456789012345678901234567890}`), changes: item("deep/maximum")},
		{name: "exclusive bound met", calls: answers(`{"ratio":0}`), changes: item("ratio/exclusiveMinimum")},
		{name: "exclusive bound passed", calls: answers(`{"ratio":-0.5}`), changes: item("ratio/exclusiveMinimum"), left: []string{"minimum"}},
		{name: "exclusive bound, documented limit met", calls: answers(`{"ratio":9.0}`), changes: item("ratio/exclusiveMaximum")},
		{name: "exclusive bound, documented limit passed", calls: answers(`{"ratio":9.5}`), changes: item("ratio/exclusiveMaximum"), left: []string{"maximum"}},
		{name: "multipleOf", calls: answers(`{"step":3}`), changes: item("step/multipleOf")},
		{name: "lengths and pattern", calls: answers(`{"word":"A"}`, `{"word":"Ä`+"bcdefg"+`"}`),
			changes: []string{item("word/minLength")[0], item("word/maxLength")[0], item("word/pattern")[0]}},
		{name: "format", calls: answers(`{"when":"yesterday"}`), changes: item("when/format")},
		{name: "format that a criterion needs", calls: answers(`{"from":"yesterday","to":"2026-01-01T00:00:00Z"}`), nothing: true,
			unsaid: "the spec would not load: "},
		{name: "format that a criterion needs, among others", calls: answers(`{"from":"yesterday","when":"today","count":0}`), left: []string{"format"},
			changes: []string{item("when/format")[0], item("count/minimum")[0]}, unsaid: "the spec would not load: "},
		{name: "int32 that is int64", calls: answers(`{"wide":4294967296}`), changes: item("wide/format")},
		{name: "int32 that is neither", calls: answers(`{"wide":4294967296}`, `{"wide":1`+zeros(30)+`}`), changes: item("wide/format")},
		{name: "nullable by the type", calls: answers(`{"word":null}`, `{"tags":null}`)},
		{name: "nullable of a shared schema", calls: answers(`{"mood":null}`), changes: []string{"/components/schemas/Mood/nullable"}},
		{name: "enum of a shared schema", calls: []call{{response: `{"mood":"angry"}`}, {request: `{"mood":"bored"}`}},
			changes: []string{"/components/schemas/Mood/enum"}},
		{name: "integer that is a number", calls: answers(`{"count":1.5}`), changes: item("count/type")},
		{name: "type", calls: answers(`{"word":5}`, `{"word":[1]}`, `{"word":null}`), changes: item("word/type")},
		{name: "type of an array", calls: answers(`{"tags":"a,b"}`), changes: item("tags/type")},
		{name: "type of members", calls: answers(`{"flags":{"a":"yes"}}`), changes: item("flags/additionalProperties/type")},
		{name: "type beside a documented enum", calls: answers(`{"label":3}`), nothing: true, unsaid: "label/enum stands in the way, and is documented"},
		{name: "type beside a documented enum, asked to", calls: answers(`{"label":3}`), documented: true,
			changes: []string{item("label/enum")[0], item("label/type")[0]}},
		{name: "items", calls: answers(`{"tags":[]}`, `{"tags":["a","a"]}`, `{"tags":["a","b","c"]}`),
			changes: []string{item("tags/minItems")[0], item("tags/maxItems")[0], item("tags/uniqueItems")[0]}},
		{name: "members", calls: answers(`{"flags":{}}`, `{"flags":{"a":true,"b":true,"c":true}}`),
			changes: []string{item("flags/minProperties")[0], item("flags/maxProperties")[0]}},
		{name: "required, one of two", calls: answers(`{"it's":"(absent)"}`), changes: []string{"/components/schemas/Item/required/it's"}},
		{name: "required, both", calls: answers(`{"it's":"(absent)"}`, `{"last":"(absent)"}`),
			changes: []string{"/components/schemas/Item/required/it's", "/components/schemas/Item/required/last"}},
		{name: "required, the whole list", calls: []call{{status: 404, response: `{}`}}, changes: []string{"/components/schemas/Problem/required/status"}},
		{name: "required of a header", calls: []call{{got: http.Header{"X-Left": nil}}},
			changes: []string{"/paths/~1items/post/responses/200/headers/X-Left/required"}},
		{name: "header of another type", calls: []call{{got: http.Header{"X-Left": {"many"}}}}, nothing: true, unsaid: "or it is a parameter's or header's"},
		{name: "member of a closed object", calls: answers(`{"closed":{"b":1}}`, `{"closed":{"b":2.5,"c":null}}`)},
		{name: "anyOf", calls: answers(`{"either":true}`, `{"either":{"a":1}}`), changes: item("either/anyOf")},
		{name: "anyOf without null", calls: answers(`{"either":null}`), changes: item("either/anyOf")},
		{name: "oneOf of which two match", calls: answers(`{"one":1}`), changes: item("one/oneOf")},
		{name: "oneOf of which none matches", calls: answers(`{"one":"1"}`), changes: item("one/oneOf")},
		{name: "not", calls: answers(`{"other":"text"}`), changes: item("other/not")},
		{name: "readOnly", calls: []call{{request: `{"made":"here"}`}}, nothing: true},
		{name: "a property of a request", calls: []call{{request: `{"maed":"here"}`}}, nothing: true, unsaid: "correct its name"},
		{name: "bound of a request", calls: []call{{request: `{"name":"far too long"}`, response: `{"name":"far too long"}`}},
			changes: []string{"/components/schemas/NewItem/properties/name/maxLength"}},
		{name: "bound that kept a criterion silent", calls: []call{{request: `{"name":"far too long"}`, response: `{"name":"far too"}`}},
			changes: []string{"/components/schemas/NewItem/properties/name/maxLength", "/paths/~1items/post/responses/200/x-criteria/echo/condition"}},
		{name: "criterion", calls: answers(`{"id":13}`), changes: []string{"/paths/~1items/post/responses/200/x-criteria/it's so/condition"}},
		{name: "criterion that is documented", calls: answers(`{"id":99}`), nothing: true},
		{name: "criterion that is documented, asked to", calls: answers(`{"id":99}`), documented: true,
			changes: []string{"/paths/~1items/post/responses/200/x-criteria/documented/condition"}},
		{name: "body always absent", calls: []call{{status: 403, none: true}}, changes: []string{
			"/paths/~1items/post/responses/403/content", "/paths/~1items/post/responses/403/content/application~1json",
			"/paths/~1items/post/responses/403/x-criteria/same/condition"}},
		{name: "body at times absent", calls: []call{{status: 403, none: true}, {status: 403, response: `{"status":403}`}}, nothing: true,
			unsaid: "a response may have a body or none"},
		{name: "body always absent, documented", calls: []call{{status: 404, none: true}}, nothing: true},
		{name: "body always absent, asked to", calls: []call{{status: 404, none: true}}, documented: true, changes: []string{
			"/paths/~1items/post/responses/404/content", "/paths/~1items/post/responses/404/content/application~1json"}},
		{name: "body where none is", calls: []call{plainText(503, "closed")}},
		{name: "body absent from a request", calls: []call{{}, {request: `{"name":"(absent)"}`, sent: http.Header{"Content-Type": nil}, empty: true}},
			changes: []string{"/paths/~1items/post/requestBody/content"}},
		{name: "media type", documented: true, calls: []call{plainText(200, "added"), plainText(404, "gone")}},
		{name: "media type of a request", calls: []call{{sent: http.Header{"Content-Type": {"application/vnd.shop+json"}}}}},
		{name: "Content-Type missing", calls: []call{{status: 403, response: `{"status":403}`, got: http.Header{"Content-Type": nil}}}, nothing: true,
			unsaid: "no media types"},
		{name: "not JSON", calls: []call{{body: "oops"}}, nothing: true, unsaid: "no edit for the rule json"},
		{name: "credential missing", calls: []call{{sent: http.Header{"X-Account": nil}}}, nothing: true, unsaid: "the rule security"},
		{name: "status", left: []string{"undocumented-header", "undocumented-header"}, calls: []call{plainText(409, "twice"), {status: 409, response: `{}`, got: http.Header{"X-Why": {"a"}, "X-When": {"b"}}}}},
		{name: "status without a body", calls: []call{{status: 202, none: true}, {status: 304, none: true}, {status: 204, none: true}}},
		{name: "status with a body at times", calls: []call{{status: 400, none: true}, plainText(400, "no")}, nothing: true, unsaid: "a response may have a body or none"},
		{name: "header", left: []string{"undocumented-header"}, calls: []call{{got: http.Header{"X-Rate": {"a", "b"}, "X-5": {"c"}}}, {status: 404, response: `{"status":4}`, got: http.Header{"5": {"c"}, "6": {"c"}}}}},
		{name: "member", calls: answers(`{"new":1}`, `{"new":null}`, `{"inner":{"b":[1]}}`, `{"list":[{},{"b":{"c":1}}]}`)},
		{name: "member of what a request has, too", calls: []call{{response: `{"pair":{"b":1}}`}, {request: `{"pair":{"b":"x"}}`}}},
		{name: "members of odd names", calls: answers(`{"a b":1,"":2,"quo'te":3,"dou\"ble":4,"sl/ash":5,"ti~lde":6,"back\\slash":7,"null":8,"404":9,"yes":10,"ünï":11,"$[?@]":12,"tab\t":13,"# no":14}`)},
		{name: "members like positions", left: []string{"undocumented-property"}, calls: answers(`{"inner":{"1":"a","2":"b"}}`)},
		{name: "member of any type", calls: answers(`{"new":1}`, `{"new":"a"}`, `{"new":true}`)},
		{name: "member that is null", calls: answers(`{"new":null}`)},
		{name: "member named as a credential", calls: answers(`{"` + credentials["X-Key"] + `":1}`), nothing: true, unsaid: "the report does not hold the name"},
		{name: "documented ones stay", calls: answers(`{"id":0,"count":0}`), changes: item("count/minimum"), left: []string{"minimum"}},
		{name: "documented ones, asked to", calls: answers(`{"id":0,"name":null}`, `{"id":200,"last":1}`, `{"id":"x","name":"(absent)"}`), documented: true,
			changes: []string{item("id/minimum")[0], item("id/maximum")[0], item("id/type")[0], item("last/type")[0], "/components/schemas/Item/required/name",
				"/paths/~1items/post/responses/200/x-criteria/echo/condition"}},
	}
}

func zeros(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = '0'
	}
	return string(text)
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const fault, post = "/components/schemas/Fault/", "/paths/~1api~1v1~1faults/post/responses/"
	faults().run(t, []suggestion{
		{name: "an empty 403", calls: []call{{}, {status: 403, none: true}, {status: 403, none: true}},
			changes: []string{post + "403/content", post + "403/content/application~1json", post + "403/x-criteria/problem-status-is-http-status/condition"}},
		{name: "a 401 of plain text", calls: []call{plainText(401, "HTTP Token: Access denied.")}},
		{name: "members missing and null", calls: answers(`{"name":"(absent)","status":null}`, `{"is_sample":null,"source":"(absent)"}`),
			changes: []string{fault + "required/name", fault + "required/source", fault + "properties/is_sample/nullable", "/components/schemas/FaultStatus/nullable"}},
		{name: "an echo that is none", calls: []call{{request: `{"status":"resolved","name":"a"}`, response: `{"status":null,"name":"b"}`}},
			changes: []string{"/components/schemas/FaultStatus/nullable", post + "201/x-criteria/echoes-status/condition", post + "201/x-criteria/echoes-name/condition"}},
		{name: "a time of another notation", calls: []call{{request: `{"last_occurred_at":"14.3.2023 13:46"}`, response: `{"last_occurred_at":"2023-03-14T13:46:00Z"}`}},
			changes: []string{"/components/schemas/FaultCreate/properties/last_occurred_at/format", post + "201/x-criteria/echoes-last-occurred-at/condition"}},
		{name: "a problem without a title", calls: []call{{status: 401, response: `{"status":401}`}}, changes: []string{"/components/schemas/Problem/required/title"}},
		{name: "a problem without anything", calls: []call{{status: 401, response: `{}`}}, changes: []string{"/components/schemas/Problem/required/title",
			"/components/schemas/Problem/required/status", post + "401/x-criteria/problem-status-is-http-status/condition"}},
		{name: "errors in another form", calls: []call{{status: 422, response: `{"message":"no"}`}}, changes: []string{"/components/schemas/ValidationErrors/required/errors"}},
		{name: "wait for a moment ago", calls: []call{{status: 429, response: `{"error":"slow"}`, got: http.Header{"Retry-After": {"-1"}, "X-Ratelimit-Limit": {"20"}}}},
			changes: []string{post + "429/headers/Retry-After/schema/minimum"}},
		{name: "integers beyond int64", calls: answers(`{"count":9223372036854775808}`), changes: []string{fault + "properties/count/format"}},
		{name: "drift of all kinds", calls: []call{{response: `{"resolved_at":null,"tags":["a"],"owner":{"id":1}}`, got: http.Header{"X-Trace": {"1"}}},
			{response: `{"resolved_at":"2023"}`}, plainText(404, "no"), {status: 302, none: true}, {status: 500, response: `<p>`, got: http.Header{"Content-Type": {"text/html"}}}}, left: []string{"media-type"}},
		{name: "a nullable integer that is a text, asked to", documented: true, calls: answers(`{"count":"many"}`, `{"vehicle_id":"4711"}`),
			changes: []string{fault + "properties/count/type", fault + "properties/vehicle_id/type", post + "201/x-criteria/echoes-vehicle-id/condition"}},
		{name: "the vendor's own example", calls: []call{{response: `{"id":0,"account_id":0,"vehicle_id":0,"fault_rule_id":0}`, got: http.Header{"Location": nil}}},
			changes: []string{post + "201/x-criteria/echoes-vehicle-id/condition"}, left: []string{"minimum", "minimum", "minimum", "minimum", "required"}},
		{name: "the vendor's own example, asked to", documented: true,
			calls: []call{{response: `{"id":0,"account_id":0,"vehicle_id":0,"fault_rule_id":0}`, got: http.Header{"Location": nil}}},
			changes: []string{fault + "properties/id/minimum", fault + "properties/account_id/minimum", fault + "properties/vehicle_id/minimum",
				fault + "properties/fault_rule_id/minimum", post + "201/headers/Location/required", post + "201/x-criteria/echoes-vehicle-id/condition",
				post + "201/x-criteria/location-names-the-fault/condition"}},
	}, "faults.golden")
}
