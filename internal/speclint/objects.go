package speclint

import "strings"

// objects are the fields of the objects of OpenAPI 3.0.3, section 4.7. A field is name:type; ! marks a required one, and *
// is any other name. A type is a scalar, any, the name of an object, or a list [type] or map {type}; & allows a reference.
var objects = parseObjects(`
document: openapi!:string info!:info servers:[server] paths!:paths components:components security:[requirement] tags:[tag] externalDocs:externalDocs
info: title!:string description:string termsOfService:string contact:contact license:license version!:string
contact: name:string url:string email:string
license: name!:string url:string
server: url!:string description:string variables:{variable}
variable: enum:[string] default!:string description:string
components: schemas:{&schema} responses:{&response} parameters:{&parameter} examples:{&example} requestBodies:{&requestBody} headers:{&header} securitySchemes:{&securityScheme} links:{&link} callbacks:{&callback}
paths: *:&pathItem
pathItem: summary:string description:string get:operation put:operation post:operation delete:operation options:operation head:operation patch:operation trace:operation servers:[server] parameters:[&parameter]
operation: tags:[string] summary:string description:string externalDocs:externalDocs operationId:string parameters:[&parameter] requestBody:&requestBody responses!:responses callbacks:{&callback} deprecated:boolean security:[requirement] servers:[server]
externalDocs: description:string url!:string
parameter: name!:string in!:string description:string required:boolean deprecated:boolean allowEmptyValue:boolean style:string explode:boolean allowReserved:boolean schema:&schema example:any examples:{&example} content:{mediaType}
header: description:string required:boolean deprecated:boolean allowEmptyValue:boolean style:string explode:boolean allowReserved:boolean schema:&schema example:any examples:{&example} content:{mediaType}
requestBody: description:string content!:{mediaType} required:boolean
mediaType: schema:&schema example:any examples:{&example} encoding:{encoding}
encoding: contentType:string headers:{&header} style:string explode:boolean allowReserved:boolean
responses: *:&response
response: description!:string headers:{&header} content:{mediaType} links:{&link}
callback: *:&pathItem
example: summary:string description:string value:any externalValue:string
link: operationRef:string operationId:string parameters:any requestBody:any description:string server:server
tag: name!:string description:string externalDocs:externalDocs
schema: title:string multipleOf:number maximum:number exclusiveMaximum:boolean minimum:number exclusiveMinimum:boolean maxLength:count minLength:count pattern:string maxItems:count minItems:count uniqueItems:boolean maxProperties:count minProperties:count required:[string] enum:any type:string allOf:[&schema] oneOf:[&schema] anyOf:[&schema] not:&schema items:&schema properties:{&schema} additionalProperties:additional description:string format:string default:any nullable:boolean discriminator:discriminator readOnly:boolean writeOnly:boolean xml:xml externalDocs:externalDocs example:any deprecated:boolean
discriminator: propertyName!:string mapping:{string}
xml: name:string namespace:string prefix:string attribute:boolean wrapped:boolean
securityScheme: type!:string description:string name:string in:string scheme:string bearerFormat:string flows:flows openIdConnectUrl:string
flows: implicit:flow password:flow clientCredentials:flow authorizationCode:flow
flow: authorizationUrl:string tokenUrl:string refreshUrl:string scopes!:{string}
requirement: *:[string]
`)

// object is the grammar of an object.
type object struct {
	fields   map[string]string // the types by name
	required []string
	names    []string
}

func parseObjects(text string) map[string]*object {
	list := map[string]*object{}
	for line := range strings.Lines(strings.TrimSpace(text)) {
		words := strings.Fields(line)
		o := &object{fields: map[string]string{}}
		for _, word := range words[1:] {
			name, fieldType, _ := strings.Cut(word, ":")
			name, required := strings.CutSuffix(name, "!")
			if required {
				o.required = append(o.required, name)
			}
			o.fields[name] = fieldType
			o.names = append(o.names, name)
		}
		list[strings.TrimSuffix(words[0], ":")] = o
	}
	return list
}

// titles are the names of objects in messages, where the name in the grammar is not clear.
var titles = map[string]string{"document": "an OpenAPI document", "info": "an Info Object", "externalDocs": "an External Documentation Object",
	"mediaType": "a Media Type Object", "pathItem": "a path item", "requestBody": "a request body", "securityScheme": "a security scheme",
	"requirement": "a security requirement", "paths": "a Paths Object", "responses": "a Responses Object", "components": "a Components Object",
	"operation": "an operation", "example": "an example", "encoding": "an encoding", "xml": "an XML Object", "flows": "an OAuth Flows Object",
	"flow": "an OAuth flow"}

func title(kind string) string {
	if t := titles[kind]; t != "" {
		return t
	}
	return "a " + kind
}
