package conformance

import "strings"

// text is the criterion in one line.
func (k *criterion) text() string {
	var b strings.Builder
	for i, o := range k.when {
		b.WriteString([]string{"when ", " and "}[min(i, 1)] + o.text)
	}
	if len(k.when) > 0 {
		b.WriteString(", ")
	}
	b.WriteString(k.left.text)
	if k.pattern == nil {
		return b.String() + " " + k.op + " " + k.right.text
	}
	b.WriteString(" matches ")
	for i, text := range k.pattern.texts {
		b.WriteString(text)
		if i < len(k.pattern.embedded) {
			b.WriteString("{" + k.pattern.embedded[i].text + "}")
		}
	}
	return b.String()
}
