# frozen_string_literal: true

require_relative 'test_helper'
require 'rack'
require 'puma'

# The API of the middleware, which adapters.json does not cover.
class MiddlewareTest < Minitest::Test
  include EmulatorTest

  # The README's application, behind puma: a route with requirements shares the verifier.
  def test_the_readme
    snippet = File.read("#{__dir__}/../README.md")[/## Rack\n\n```ruby\n(.*?)```/m, 1]
    app = Rack::Builder.new_from_string(snippet.sub('https://acme.torii.so', issuer))
    serve(app) do |get|
      member = "Bearer #{token(claims: { sub: USER, o: { id: 'org_1', rol: 'member' } })}"
      admin = "Bearer #{token(claims: { sub: USER, o: { id: 'org_1', rol: 'admin' } })}"
      assert_equal "Hello #{USER}", get.call('/', 'Authorization' => member).body
      assert_equal '403', get.call('/admin', 'Authorization' => member).code
      assert_equal 'Hello admin', get.call('/admin', 'Authorization' => admin).body
      assert_equal ['401', '401'], [get.call('/').code, get.call('/admin').code]
      assert_equal 'Hello ', get.call('/health').body
      assert_equal 1, requests('/acme/').size
    end
  ensure
    %i[VERIFIER ADMIN].each { |name| Object.send(:remove_const, name) if Object.const_defined?(name) }
  end

  def test_options_of_the_verifier
    app = guarded(issuer: issuer, require: [:email_verified], realm: 'shop')
    status, headers, = app.call('HTTP_AUTHORIZATION' => "Bearer #{token(claims: { email_verified: false })}")
    assert_equal [403, 'Bearer realm="shop", error="insufficient_scope"'], [status, headers['www-authenticate']]
  end

  def test_requirements_need_credentials
    flags = Torii::Requirements.new(:email_verified)
    app = guarded(issuer: issuer, requirements: flags, optional: true, skip: ['/health'])
    status, headers, = app.call('PATH_INFO' => '/')
    assert_equal [401, 'Bearer realm="torii"'], [status, headers['www-authenticate']]
    assert_equal 200, app.call('PATH_INFO' => '/health').first
  end

  # Below another middleware, and below a path at which it is mounted.
  def test_skip_is_the_whole_path
    app = guarded(issuer: issuer, skip: ['/api/health'])
    assert_equal 200, app.call('SCRIPT_NAME' => '/api', 'PATH_INFO' => '/health').first
    assert_equal 401, app.call('SCRIPT_NAME' => '', 'PATH_INFO' => '/health').first
  end

  def test_an_identity_from_before_does_not_stay
    app = Torii::Middleware.new(->(env) { [200, {}, [env['torii.auth'].inspect]] }, issuer: issuer, optional: true)
    assert_equal ['nil'], app.call('torii.auth' => 'ada').last
  end

  # Servers differ in the encoding of headers.
  def test_bytes_that_are_not_text
    app = guarded(issuer: issuer, cookie: 'app_token')
    ["\xFF", "Bearer \xFF".b, "\u00e9"].each do |value|
      [{ 'HTTP_AUTHORIZATION' => value }, { 'HTTP_COOKIE' => "app_token=#{value}" }].each do |env|
        assert_equal 401, app.call(env).first, env
      end
    end
  end

  def test_the_response_for_an_error
    error = assert_raises(Torii::TokenError) { Torii::Verifier.new(issuer).authenticate('Bearer x') }
    status, headers, body = Torii::Middleware.response(error)
    assert_equal [401, 'Bearer realm="torii", error="invalid_token"', 'no-store'],
                 [status, *headers.values_at('www-authenticate', 'cache-control')]
    assert_equal({ 'error' => { 'code' => 'authentication_failed', 'message' => error.public_message } },
                 JSON.parse(body.join))
    assert_empty Torii::Middleware.response(error, head: true).last
  end

  def test_errors_of_the_application_are_its_own
    app = Torii::Middleware.new(->(_) { raise Torii::PolicyError, 'mine' }, issuer: issuer, optional: true)
    assert_raises(Torii::PolicyError) { app.call({}) }
  end

  def test_wrong_options
    verifier = Torii::Verifier.new(issuer)
    assert_raises(ArgumentError) { guarded }
    assert_raises(ArgumentError) { guarded(issuer: issuer, verifier: verifier) }
    assert_match(/realm/, assert_raises(ArgumentError) { guarded(verifier: verifier, realm: 'shop') }.message)
    assert_raises(ArgumentError) { guarded(issuer: issuer, anything: 1) }
  end

  private

  def guarded(**options) = Torii::Middleware.new(->(_) { [200, {}, []] }, **options)

  def serve(app)
    server = puma_server(Rack::Lint.new(app))
    port = server.add_tcp_listener('127.0.0.1', 0).addr[1]
    server.run
    yield ->(path, headers = {}) { Net::HTTP.get_response(URI("http://127.0.0.1:#{port}#{path}"), headers) }
  ensure
    server&.stop(true)
  end
end
