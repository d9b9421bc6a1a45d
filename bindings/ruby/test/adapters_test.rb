# frozen_string_literal: true

require_relative 'test_helper'
require 'rack'
require 'puma'

# The HTTP answers that every adapter gives: tests/behaviour/adapters.json, in process and behind puma.
class AdaptersTest < Minitest::Test
  CORPUS = JSON.parse(File.read(File.join(ROOT, 'tests/behaviour/adapters.json')))
  ROWS = CORPUS['rows'].select do |row|
    row.fetch('only', ['ruby']).include?('ruby') && !row.fetch('except', []).include?('ruby')
  end
  APP = lambda do |env|
    headers = { 'content-type' => 'text/plain', 'handler-user' => env['torii.auth']&.user_id || '-' }
    # No array: of an array, Rack 3 calls to_ary and then each, which the inner of two Rack::Lint refuses.
    [200, headers, (env['REQUEST_METHOD'] == 'HEAD' ? [] : [env['rack.input'].read]).each]
  end
  Answer = Struct.new(:status, :headers, :body)

  def setup
    EmulatorTest.torii.reset
    CORPUS['setup'].each { |request| EmulatorTest.torii.control('POST', request['path'], request['body']) }
    @apps = CORPUS['configurations'].transform_values { |configuration| application(configuration) }
  end

  def teardown
    @servers&.each_value { |_, server| server.stop(true) }
  end

  def test_in_process
    run_rows do |row, headers, path, body|
      in_process(@apps[row['configuration']], row['method'], path, headers, body)
    end
  end

  # Puma 5 and 6 join several Cookie headers by ", ", so that the application cannot tell the second from a value.
  HIDDEN_BY_PUMA = %w[cookie-in-second-header].freeze

  def test_behind_puma
    @servers = @apps.transform_values { |app| start(app) }
    run_rows(Puma::Const::VERSION.to_i < 7 ? HIDDEN_BY_PUMA : []) do |row, headers, path, body|
      over_tcp(@servers[row['configuration']].first, row['method'], path, headers, body)
    end
  end

  Minitest.after_run { puts "adapters: #{ROWS.size} rows" }

  private

  def run_rows(hidden = [])
    assert_operator ROWS.size, :>=, 60
    failures = ROWS.reject { |row| hidden.include?(row['name']) }.filter_map do |row|
      used = []
      fill = ->(text) { text&.gsub(/\{([a-z0-9-]+)\}/) { token(Regexp.last_match(1)).tap { |each| used << each } } }
      headers = row['headers'].map { |name, value| [name, fill.call(value)] }
      path = fill.call(row['path'])
      body = fill.call(row['body'])
      check(row, yield(row, headers, path, body), body.to_s, used)
    rescue StandardError, Minitest::Assertion => e
      "#{row['name']}: #{e.message.lines.map(&:strip).join(' ')}"
    end
    assert_empty failures.compact
  end

  def check(row, answer, body, tokens)
    if row['server_may_refuse']&.include?(answer.status)
      assert_nil answer.headers['handler-user']
      return
    end
    expected = CORPUS['answers'].fetch(row['answer'])
    assert_equal expected.values_at('status', 'www_authenticate', 'cache_control'),
                 [answer.status, *answer.headers.values_at('www-authenticate', 'cache-control')]
    retry_after = answer.headers['retry-after']
    expected['retry_after'] ? assert_match(/\A[1-9]\d*\z/, retry_after) : assert_nil(retry_after)
    expected['status'] == 200 ? check_pass(row, answer, body) : check_refusal(row, answer, expected, tokens)
    nil
  end

  def check_pass(row, answer, body)
    assert_equal row['user'] || '-', answer.headers['handler-user']
    assert_equal row['method'] == 'HEAD' ? '' : body, answer.body
  end

  def check_refusal(row, answer, expected, tokens)
    assert_nil answer.headers['handler-user']
    everything = answer.headers.to_a.join(' ') + answer.body
    tokens.each { |token| token.split('.').drop(1).reject(&:empty?).each { |part| refute_includes everything, part } }
    return assert_empty(answer.body) if row['method'] == 'HEAD'

    assert_equal 'application/json', answer.headers['content-type']
    error = JSON.parse(answer.body)
    assert_equal [['error'], %w[code message]], [error.keys, error['error'].keys]
    assert_equal expected['code'], error['error']['code']
    refute_empty error['error']['message']
    CORPUS['never_in_refusals'].each { |text| refute_includes answer.body, text }
  end

  def token(name)
    description = CORPUS['tokens'].fetch(name)
    return description['repeat'] * description['times'] if description['repeat']

    EmulatorTest.torii.control('POST', "/issuers/#{description['issuer']}/tokens", description['mint']).fetch('token')
  end

  # One verifier, and a middleware for each route.
  def application(configuration)
    verifier = Torii::Verifier.new(
      "#{EmulatorTest.torii.url}/#{configuration['issuer']}",
      audiences: configuration.fetch('audiences', []), realm: configuration['realm'],
      resource_metadata: configuration['resource_metadata'],
      requirements: configuration['requirements'] && requirements(configuration['requirements'])
    )
    options = configuration.slice('header', 'cookie', 'optional', 'skip').transform_keys(&:to_sym)
    guard = lambda do |**more|
      Rack::Lint.new(Torii::Middleware.new(Rack::Lint.new(APP), verifier: verifier, **options, **more))
    end
    routes = configuration.fetch('routes', {}).transform_values { |each| guard.call(requirements: requirements(each)) }
    others = guard.call
    ->(env) { routes.fetch(env['PATH_INFO'], others).call(env) }
  end

  def requirements(description)
    Torii::Requirements.new(
      *description.fetch('flags', []).map(&:to_sym),
      claims_json: description.fetch('claims', []).to_h { |claim| claim.values_at('pointer', 'json') },
      organizations: description.fetch('organizations', []).map { |each| each.values_at('id', 'role') }
    )
  end

  # Builds the environment as puma does.
  def in_process(app, method, path, headers, body)
    env = Rack::MockRequest.env_for(path, method: method, input: body.to_s)
    headers.each do |name, value|
      key = name.casecmp?('content-type') ? 'CONTENT_TYPE' : "HTTP_#{name.upcase.tr('-', '_')}"
      env[key] = [env[key], value.strip].compact.join(key == 'HTTP_COOKIE' ? '; ' : ', ')
    end
    status, answer, chunks = app.call(env)
    text = +''
    chunks.each { |chunk| text << chunk }
    chunks.close if chunks.respond_to?(:close)
    Answer.new(status, answer.transform_keys(&:downcase), text)
  end

  # @return [Array] the port and the server
  def start(app)
    server = puma_server(app)
    port = server.add_tcp_listener('127.0.0.1', 0).addr[1]
    server.run
    [port, server]
  end

  # Sends repeated headers and blanks unchanged, on a connection that it keeps.
  def over_tcp(port, method, path, headers, body)
    lines = ["#{method} #{path} HTTP/1.1", 'Host: localhost']
    lines << "Content-Length: #{body.bytesize}" if body
    headers.each { |name, value| lines << "#{name}: #{value}" }
    receive(connection(port), method) { |socket| socket.write(lines.join("\r\n"), "\r\n\r\n", body.to_s) }
  end

  def connection(port)
    @connections ||= {}
    @connections[port] = TCPSocket.new('127.0.0.1', port) if @connections[port].nil? || @connections[port].closed?
    @connections[port]
  end

  def receive(socket, method)
    yield socket
    io = Net::BufferedIO.new(socket)
    response = Net::HTTPResponse.read_new(io)
    response.reading_body(io, method != 'HEAD') { response.body }
    socket.close if response['Connection'] == 'close'
    headers = response.to_hash.transform_values { |values| values.join(', ') }
    Answer.new(response.code.to_i, headers, response.body.to_s)
  end
end
