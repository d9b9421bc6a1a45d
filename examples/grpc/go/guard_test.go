package guard

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	torii "libtorii.internal/go"
	"libtorii.internal/go/toriitest"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const (
	unary        = pb.TestService_UnaryCall_FullMethodName
	public       = pb.TestService_EmptyCall_FullMethodName
	organization = "0190d3c1-6a3e-7f4f-9c1b-8f1d2a3b4c5d"
)

// service answers with the user of the call.
type service struct {
	pb.UnimplementedTestServiceServer
	calls atomic.Int32
}

func (s *service) payload(ctx context.Context) *pb.Payload {
	s.calls.Add(1)
	auth, _ := torii.AuthFromContext(ctx)
	return &pb.Payload{Body: []byte(auth.UserID)}
}

func (s *service) EmptyCall(context.Context, *pb.Empty) (*pb.Empty, error) {
	return &pb.Empty{}, nil
}

func (s *service) UnaryCall(ctx context.Context, _ *pb.SimpleRequest) (*pb.SimpleResponse, error) {
	return &pb.SimpleResponse{Payload: s.payload(ctx)}, nil
}

func (s *service) StreamingOutputCall(_ *pb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[pb.StreamingOutputCallResponse]) error {
	return stream.Send(&pb.StreamingOutputCallResponse{Payload: s.payload(stream.Context())})
}

// start serves on a port, and returns a client.
func start(t *testing.T, g *Guard) (*service, pb.TestServiceClient) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(g.Unary), grpc.StreamInterceptor(g.Stream))
	s := &service{}
	pb.RegisterTestServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return s, pb.NewTestServiceClient(connection)
}

func with(t *testing.T, values ...string) context.Context {
	ctx := t.Context()
	for _, value := range values {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", value)
	}
	return ctx
}

// calls are a unary call and a stream, which return the user.
var calls = map[string]func(pb.TestServiceClient, context.Context) (string, error){
	"unary": func(client pb.TestServiceClient, ctx context.Context) (string, error) {
		answer, err := client.UnaryCall(ctx, &pb.SimpleRequest{})
		return string(answer.GetPayload().GetBody()), err
	},
	"stream": func(client pb.TestServiceClient, ctx context.Context) (string, error) {
		stream, err := client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
		if err != nil {
			return "", err
		}
		answer, err := stream.Recv()
		return string(answer.GetPayload().GetBody()), err
	},
}

func TestWhoGetsIn(t *testing.T) {
	local := toriitest.Start(t)
	s, client := start(t, &Guard{Verifier: local.Verifier(t), Public: map[string]bool{public: true}})
	one := local.Token(t, map[string]any{"sub": "user-1"})
	two := local.Token(t, map[string]any{"sub": "user-2"})
	for name, call := range calls {
		for _, test := range []struct {
			ctx  context.Context
			user string
			code codes.Code
		}{
			{with(t, "Bearer "+one), "user-1", codes.OK},
			{with(t, "Bearer "+two), "user-2", codes.OK},
			{with(t), "", codes.Unauthenticated},
			{with(t, "Bearer "+one+"."), "", codes.Unauthenticated},
			{with(t, "Bearer "+local.Mint(t, `{"now_offset":-5000}`)), "", codes.Unauthenticated},
			{with(t, "Basic "+one), "", codes.Unauthenticated},
			{with(t, "Bearer "+one, "Bearer "+one), "", codes.Unauthenticated},
		} {
			before := s.calls.Load()
			user, err := call(client, test.ctx)
			if status.Code(err) != test.code || user != test.user {
				t.Errorf("%s: %q, %v (expected %q, %v)", name, user, err, test.user, test.code)
			}
			if test.code != codes.OK && s.calls.Load() != before {
				t.Errorf("%s: the handler of a refused call ran", name)
			}
		}
	}
	if _, err := client.EmptyCall(t.Context(), &pb.Empty{}); err != nil {
		t.Errorf("a public method: %v", err)
	}
}

func TestRequirementsOfAMethod(t *testing.T) {
	local := toriitest.Start(t)
	admin, err := torii.NewRequirements(torii.RequireOrganizationRole(organization, "admin"))
	if err != nil {
		t.Fatal(err)
	}
	_, client := start(t, &Guard{Verifier: local.Verifier(t), Requirements: map[string]*torii.Requirements{unary: admin}})
	for role, code := range map[string]codes.Code{"admin": codes.OK, "member": codes.PermissionDenied, "": codes.PermissionDenied} {
		claims := map[string]any{}
		if role != "" {
			claims["o"] = map[string]any{"id": organization, "rol": role}
		}
		ctx := with(t, "Bearer "+local.Token(t, claims))
		if _, err := calls["unary"](client, ctx); status.Code(err) != code {
			t.Errorf("role %q: %v (expected %v)", role, err, code)
		}
		if _, err := calls["stream"](client, ctx); err != nil {
			t.Errorf("another method: %v", err)
		}
	}
}

func TestKeysAreUnavailable(t *testing.T) {
	local := toriitest.Start(t)
	local.FailKeys(t)
	_, client := start(t, &Guard{Verifier: local.Verifier(t)})
	for name, call := range calls {
		_, err := call(client, with(t, "Bearer "+local.Token(t, nil)))
		refused := status.Convert(err)
		if refused.Code() != codes.Unavailable || len(refused.Details()) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		if retry, ok := refused.Details()[0].(*errdetails.RetryInfo); !ok || retry.RetryDelay.AsDuration() < time.Second {
			t.Errorf("%s: %v", name, refused.Details())
		}
	}
}

func TestACallEndsWhileKeysAreFetched(t *testing.T) {
	local := toriitest.Start(t)
	local.Fault(t, "/acme/", `{"kind":"hold"}`)
	ctx, cancel := context.WithCancel(with(t, "Bearer "+local.Token(t, nil)))
	go func() {
		local.Control(t, "GET", "/requests?path=/acme/&at_least=1&timeout_ms=120000", "", nil)
		cancel()
	}()
	g := &Guard{Verifier: local.Verifier(t)}
	// Without a client, whose own end of the call would hide that of the server.
	incoming := metadata.NewIncomingContext(ctx, metadata.Pairs("authorization", "Bearer "+local.Token(t, nil)))
	_, err := g.Unary(incoming, nil, &grpc.UnaryServerInfo{FullMethod: unary}, func(context.Context, any) (any, error) {
		t.Error("the handler ran")
		return nil, nil
	})
	if status.Code(err) != codes.Canceled {
		t.Errorf("%v (expected %v)", err, codes.Canceled)
	}
}
