package sandbox

import "net/http"

// answerExample implements the operations without a behaviour: it responds with the example of the contract.
func (s *Sandbox) answerExample(w http.ResponseWriter, _ *http.Request, _ string) {
	c, o := exchangeOf(w), exchangeOf(w).operation
	if c.input.problems != nil && !c.failure.plan.accept {
		c.invalid(c.input.problems)
		return
	}
	if _, logged := s.exampleLogged.LoadOrStore(o.ID, true); !logged {
		s.logger.Warn("the sandbox has no behaviour for the operation, and responds with the example of the contract", "operation", o.ID)
	}
	if o.ContentType != "" {
		c.header.Set("Content-Type", o.ContentType)
	}
	c.status, c.body = o.Status, o.Example
}
