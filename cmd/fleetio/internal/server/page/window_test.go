package page_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	cdpruntime "github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// window is a window of a real browser, without a screen.
type window struct {
	ctx context.Context //nolint:containedctx // chromedp keeps the window in there

	mu       sync.Mutex
	problems []string // what the browser complained of, a violated policy among it, and dialogs that opened
}

// findBrowser looks for a Chromium, and skips the test where there is none.
func findBrowser(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("FLEETIO_CHROME"); path != "" {
		return path // and if it does not start, the test fails
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no browser: install Chromium, or set FLEETIO_CHROME to its path")
	return ""
}

func openWindow(t *testing.T) *window {
	t.Helper()
	path := findBrowser(t)
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1360, 900))
	limit, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	allocator, stop := chromedp.NewExecAllocator(limit, opts...)
	ctx, _ := chromedp.NewContext(allocator)
	w := &window{ctx: ctx}
	t.Cleanup(func() {
		assert.NoError(t, chromedp.Cancel(ctx), "the browser ends")
		stop()
		chromedp.FromContext(ctx).Allocator.Wait()
		cancel()
	})
	require.NoError(t, chromedp.Listen(ctx, w.hear), "the browser starts")
	_, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{})
	require.NoError(t, err)
	_, err = chromedp.CallBrowser(ctx, cdpbrowser.SetPermission, cdpbrowser.SetPermissionParams{
		Permission: &cdpbrowser.PermissionDescriptor{Name: "clipboard-read"}, Setting: cdpbrowser.PermissionSettingGranted,
	})
	require.NoError(t, err)
	return w
}

func (w *window) hear(event any) {
	var problem string
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		problem = string(e.Entry.Level) + ": " + e.Entry.Text + " " + e.Entry.URL
	case *cdpruntime.EventConsoleAPICalled:
		problem = "console." + string(e.Type)
	case *cdpruntime.EventExceptionThrown:
		problem = "exception: " + e.ExceptionDetails.Text
	case *cdppage.EventJavascriptDialogOpening:
		problem = "dialog: " + e.Message
	default:
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, problem)
}

func (w *window) heard() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.problems
}

func (w *window) open(t *testing.T, url string) {
	t.Helper()
	require.NoError(t, chromedp.Do(w.ctx, chromedp.Navigate(url)))
	w.until(t, `document.getElementById('state').textContent === 'Live'`)
}

// until waits until an expression is true.
func (w *window) until(t *testing.T, expression string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 20*time.Second)
	defer cancel()
	for {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](
			`new Promise(done => { const look = () => (`+expression+`) ? done(true) : setTimeout(look, 5); look(); })`, chromedp.EvalAwaitPromise))
		if err == nil {
			return
		}
		if ctx.Err() != nil || !strings.Contains(err.Error(), "navigated") { // as where the page reloads itself
			require.NoError(t, err, "waiting for %s", expression)
		}
	}
}

// text evaluates an expression that is a text.
func (w *window) text(t *testing.T, expression string) string {
	t.Helper()
	s, err := chromedp.Run(w.ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	require.NoError(t, err, expression)
	return s
}

func (w *window) press(t *testing.T, key string) {
	t.Helper()
	require.NoError(t, chromedp.Do(w.ctx, chromedp.KeyEvent(key)))
}

func (w *window) scheme(t *testing.T, name string) {
	t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
	})
	require.NoError(t, err)
}

func (w *window) size(t *testing.T, width, height int64) {
	t.Helper()
	require.NoError(t, chromedp.Do(w.ctx, chromedp.EmulateViewport(width, height)))
}

// tab presses the key until an expression is true.
func (w *window) tab(t *testing.T, expression string) {
	t.Helper()
	for range 60 {
		w.press(t, kb.Tab)
		if w.text(t, `String(Boolean(`+expression+`))`) == "true" {
			return
		}
	}
	require.Fail(t, "the keyboard does not get there", expression)
}

func (w *window) withoutScript(t *testing.T) {
	t.Helper()
	_, err := chromedp.Call(w.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	require.NoError(t, err)
}
