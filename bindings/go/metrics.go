package torii

// #include "shim.h"
import "C"

import (
	"errors"
	"io"
	"net/http"
	"unsafe"
)

// MetricsType is the content type of [Verifier.Metrics].
const MetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// Metrics returns metrics of the verifier as OpenMetrics text.
func (v *Verifier) Metrics() (string, error) {
	for room := C.size_t(8192); ; {
		buf := make([]byte, room)
		size := room
		err := v.use(func(e **C.torii_error_t) C.torii_status_t {
			p := (*C.char)(unsafe.Pointer(unsafe.SliceData(buf)))
			return C.torii_verifier_metrics(v.verifier, p, room, &size, e)
		})
		if err == nil {
			return string(buf[:size]), nil
		}
		// The text can grow between two calls.
		if !errors.Is(err, ErrBufferTooSmall) {
			return "", err
		}
		room = size
	}
}

// MetricsHandler answers scrapes with [Verifier.Metrics], for example at "GET /metrics". Its answer is
// not meant for the clients of your application.
func (v *Verifier) MetricsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text, err := v.Metrics()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", MetricsType)
		_, _ = io.WriteString(w, text)
	})
}
