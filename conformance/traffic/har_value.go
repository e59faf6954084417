package traffic

import "strconv"

// The members of an entry that are read (HAR 1.2, "entries", "request", "response", "postData", "content"). Names are
// compared by their bytes, and of members with one name the last counts. A null is taken as an absent member.
type (
	harEntry struct {
		request  *harRequest
		response *harResponse
	}
	harRequest struct {
		method, url string
		headers     []harHeader
		postData    *harBody
		bodySize    bodySize
	}
	harResponse struct {
		status   int64
		headers  []harHeader
		content  *harBody
		bodySize bodySize
	}
	harHeader struct{ name, value string }
	// harBody is a postData or a content; a postData has no size, a content no params.
	harBody struct {
		mimeType, encoding, comment string
		text                        *string
		nullText                    bool // the text is null
		size                        bodySize
		params                      bool // there are fields of a form
	}
)

// harNames are the names of these members. Others are skipped, and no text is made of their names.
var harNames = func() map[string]string {
	names := map[string]string{}
	for _, name := range []string{"request", "response", "method", "url", "status", "headers", "name", "value", "postData",
		"content", "bodySize", "mimeType", "text", "encoding", "comment", "size", "params"} {
		names[name] = name
	}
	return names
}()

// harMembers calls each with the members of an object that are not null. A null in place of the object has none.
func (v jsonValue) harMembers(each func(name string, m jsonValue) error) error {
	if v.isNull() {
		return nil
	}
	return v.each(func(text []byte, m jsonValue) error {
		name, known := harNames[string(text)]
		if !known || m.isNull() {
			return nil
		}
		return each(name, m.named(name))
	})
}

func (v jsonValue) harEntry() (entry harEntry, err error) {
	err = v.harMembers(func(name string, m jsonValue) (err error) {
		switch name {
		case "request":
			entry.request, err = m.harRequest()
		case "response":
			entry.response, err = m.harResponse()
		}
		return err
	})
	return entry, err
}

func (v jsonValue) harRequest() (*harRequest, error) {
	r := new(harRequest)
	return r, v.harMembers(func(name string, m jsonValue) (err error) {
		switch name {
		case "method":
			r.method, err = m.text()
		case "url":
			r.url, err = m.text()
		case "headers":
			r.headers, err = m.harHeaders()
		case "postData":
			r.postData, err = m.harBody()
		case "bodySize":
			r.bodySize, err = m.bodySize()
		}
		return err
	})
}

func (v jsonValue) harResponse() (*harResponse, error) {
	r := new(harResponse)
	return r, v.harMembers(func(name string, m jsonValue) (err error) {
		switch name {
		case "status":
			if r.status, err = strconv.ParseInt(string(m.raw), 10, 64); err != nil {
				err = m.expected("an integer")
			}
		case "headers":
			r.headers, err = m.harHeaders()
		case "content":
			r.content, err = m.harBody()
		case "bodySize":
			r.bodySize, err = m.bodySize()
		}
		return err
	})
}

func (v jsonValue) harHeaders() ([]harHeader, error) {
	list := []harHeader{}
	err := v.elements(func(_ int, field jsonValue) error {
		var h harHeader
		err := field.harMembers(func(name string, m jsonValue) (err error) {
			switch name {
			case "name":
				h.name, err = m.text()
			case "value":
				h.value, err = m.text()
			}
			return err
		})
		list = append(list, h)
		return err
	})
	return list, err
}

func (v jsonValue) harBody() (*harBody, error) {
	b := new(harBody)
	err := v.each(func(text []byte, m jsonValue) (err error) {
		name := harNames[string(text)]
		switch m = m.named(name); {
		case name == "text" && m.isNull():
			b.text, b.nullText = nil, true
		case m.isNull():
		case name == "text":
			var text string
			text, err = m.text()
			b.text, b.nullText = &text, false
		case name == "mimeType":
			b.mimeType, err = m.text()
		case name == "encoding":
			b.encoding, err = m.text()
		case name == "comment":
			b.comment, err = m.text()
		case name == "size":
			b.size, err = m.bodySize()
		case name == "params":
			b.params = false
			err = m.elements(func(int, jsonValue) error {
				b.params = true
				return nil
			})
		}
		return err
	})
	return b, err
}

func (v jsonValue) bodySize() (bodySize, error) {
	const want = "a number"
	if jsonTypes[v.raw[0]] != want {
		return sizeAbsent, v.expected(want)
	}
	n, err := strconv.ParseFloat(string(v.raw), 64)
	if err != nil {
		return sizeAbsent, v.fail("expected a number, got one that is out of range")
	}
	return sizeOf(n), nil
}
