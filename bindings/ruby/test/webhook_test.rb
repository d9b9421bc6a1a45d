# frozen_string_literal: true

require_relative 'test_helper'
require 'rack'
require 'puma'

class WebhookTest < Minitest::Test
  BODY = '{"type":"user.created"}'
  NAMES = %w[webhook-id webhook-timestamp webhook-signature].freeze

  def setup
    @headers = Sender.sign(BODY)
  end

  def test_a_genuine_webhook
    webhook = verify(secrets: [Sender::OTHER, Sender::SECRET])
    assert_equal ['msg_1', Time.at(@headers['webhook-timestamp'].to_i)], [webhook.id, webhook.sent_at]
    assert_equal Encoding::UTF_8, webhook.id.encoding
  end

  def test_errors
    error = assert_raises(Torii::WebhookError) { verify(body: "#{BODY}\n") }
    assert_equal [:webhook_signature, 400, nil], [error.status, error.answer_status, error.http_status]
    assert_match(/webhook-signature/, error.message)
    assert_refused(:webhook_header, /webhook-id: missing/) { verify({}) }
    assert_refused(:webhook_timestamp, /webhook-timestamp/) { verify(Sender.sign(BODY, sent: Time.at(1))) }
    assert_equal Torii::WebhookError, Torii::Error.send(:of, 399)
  end

  def test_one_verifier_for_many_webhooks
    webhooks = Torii::WebhookVerifier.new([Sender::OTHER, Sender::SECRET])
    threads = Array.new(8) { Thread.new { Array.new(50) { webhooks.verify(BODY, @headers).id } } }
    assert_equal ['msg_1'], threads.flat_map(&:value).uniq
    refute_includes webhooks.inspect, 'whsec'
    webhooks.close
    webhooks.close
    assert_predicate webhooks, :closed?
    assert_raises(Torii::ClosedError) { webhooks.verify(BODY, @headers) }
  end

  def test_when_it_was_sent
    sent = Time.now
    [[300, 300], [-300, 300], [3600, 3600], [0, 0]].each do |away, tolerance|
      assert_equal 'msg_1', verify(Sender.sign(BODY, sent: sent), now: sent + away, tolerance: tolerance).id
      assert_equal 'msg_1', verify(Sender.sign(BODY, sent: sent), now: (sent + away).to_i, tolerance: tolerance).id
    end
    [[301, 300], [-301, 300], [1, 0]].each do |away, tolerance|
      assert_refused(:webhook_timestamp, /within #{tolerance} s/) do
        verify(Sender.sign(BODY, sent: sent), now: sent + away, tolerance: tolerance)
      end
    end
    assert_refused(:webhook_timestamp, /within 300 s/) { verify(Sender.sign(BODY, sent: sent - 310)) }
    assert_equal 'msg_1', verify(Sender.sign(BODY, sent: sent - 290)).id
    error = assert_raises(Torii::InvalidArgumentError) { verify(tolerance: 1 << 31) }
    assert_match(/tolerance/, error.message)
    assert_raises(Torii::InvalidArgumentError) { verify(tolerance: -1) }
  end

  def test_names_of_headers
    svix = @headers.transform_keys { |name| name.sub('webhook', 'svix') }
    [@headers.transform_keys(&:upcase), svix, svix.transform_keys(&:capitalize), @headers.transform_keys(&:to_sym),
     @headers.to_a, @headers.merge('svix-id' => 'msg_2'), env(@headers), env(svix), svix.merge('webhook-id' => nil),
     @headers.transform_values { |value| [value] }].each do |headers|
      assert_equal 'msg_1', verify(headers).id, headers.inspect
    end
    assert_refused(:webhook_header, /webhook-timestamp/) { verify(svix.merge('webhook-id' => 'msg_1')) }
    assert_refused(:webhook_header, /webhook-id/) { verify(svix.merge('webhook-signature' => '')) }
  end

  def test_missing_headers
    NAMES.each do |name|
      [@headers.except(name), @headers.merge(name => nil), @headers.merge(name => ''),
       @headers.merge(name => [])].each do |headers|
        assert_refused(:webhook_header, /#{name}: missing/) { verify(headers) }
      end
    end
  end

  def test_headers_that_come_twice
    assert_refused(:webhook_signature, /./) { verify(@headers.merge('webhook-id' => %w[msg_1 msg_1])) }
    assert_refused(:webhook_header, /webhook-timestamp/) { verify(@headers.merge('webhook-timestamp' => %w[1 1])) }
    assert_refused(:webhook_signature, /./) { verify(@headers.to_a + [%w[Webhook-Id msg_1]]) }
    signatures = ['v1,AAAA', @headers['webhook-signature']]
    assert_equal 'msg_1', verify(@headers.merge('webhook-signature' => signatures)).id
    # The comma that joins them belongs to the first.
    assert_refused(:webhook_signature, /./) { verify(@headers.merge('webhook-signature' => signatures.reverse)) }
  end

  # Looking for headers leaves the rest of the environment alone.
  def test_the_body_is_not_read
    input = StringIO.new(BODY)
    verify(env(@headers).merge('rack.input' => input, "\xFF" => nil))
    assert_equal BODY, input.read
  end

  def test_wrong_secrets_are_named_by_number
    secret = Sender::SECRET
    ['', ' ', "#{secret}\n", "#{secret} #{secret}", "\t#{secret}", "whsec_\xFF", "#{secret}\0",
     'whsec_AQID'].each do |invalid|
      error = assert_raises(Torii::InvalidConfigError) { verify(secrets: [Sender::OTHER, invalid]) }
      assert_match(/secrets: number 2: /, error.message)
      refute_includes error.message, 'AQID'
    end
    [nil, []].each do |none|
      assert_match(/secrets/, assert_raises(Torii::InvalidConfigError) { verify(secrets: none) }.message)
    end
  end

  def test_texts
    body = "\0\xFF\xFE#{'x' * (1 << 20)}"
    assert_equal "a\0\u00e9", verify(Sender.sign(body, id: "a\0\u00e9"), body: body).id
    assert_equal 'msg_1', verify(Sender.sign("\u00e9"), body: "\u00e9").id
    assert_equal 'msg_1', verify(Sender.sign(''), body: '').id
    ["a\0b", "\xFF", 'x' * (1 << 20)].each do |odd|
      assert_refused(:webhook_header, /webhook-timestamp/) { verify(@headers.merge('webhook-timestamp' => odd)) }
    end
  end

  def test_arguments_of_another_class
    [{ body: { type: 'user.created' } }, { body: nil }, { secrets: [1] }, { secrets: [nil] }, { now: 'now' },
     { tolerance: 'long' }].each { |arguments| assert_raises(TypeError) { verify(**arguments) } }
    ['webhook-id', nil, 1].each { |headers| assert_raises(TypeError) { verify(headers) } }
    error = assert_raises(TypeError) { verify(@headers.merge('webhook-id' => 1)) }
    assert_match(/webhook-id: Integer/, error.message)
  end

  # The README's application, behind a real puma.
  def test_rack
    post = serve
    assert_output("msg_1\n#{Time.at(@headers['webhook-timestamp'].to_i)}\n") do
      assert_equal '204', post.call(BODY, @headers).code
    end
    answer = post.call("#{BODY} ", @headers)
    assert_equal ['400', 'The webhook could not be verified'], [answer.code, answer.body]
    assert_equal '400', post.call(BODY, {}).code
    signatures = { 'webhook-signature' => ['v1,AAAA', @headers['webhook-signature']] }
    assert_output(/msg_1/) { assert_equal '204', post.call(BODY, @headers.merge(signatures)).code }
    twice = { 'webhook-timestamp' => [@headers['webhook-timestamp']] * 2 }
    assert_equal '400', post.call(BODY, @headers.merge(twice)).code
  ensure
    @server&.stop(true)
  end

  private

  def verify(headers = @headers, body: BODY, secrets: Sender::SECRET, tolerance: nil, **options)
    Torii::WebhookVerifier.new(secrets, tolerance: tolerance).verify(body, headers, **options)
  end

  def env(headers) = headers.transform_keys { |name| "HTTP_#{name.upcase.tr('-', '_')}" }

  def assert_refused(status, message, &block)
    error = assert_raises(Torii::WebhookError, &block)
    assert_equal status, error.status
    assert_match message, error.message
  end

  # @return [Proc] sends a webhook
  def serve
    ENV['WEBHOOK_SECRETS'] = "#{Sender::OTHER} #{Sender::SECRET}"
    application = File.read("#{__dir__}/../README.md")[/## Webhooks\n\n```ruby\n(.*?)```/m, 1]
    @server = puma_server(Rack::Builder.new_from_string(application))
    port = @server.add_tcp_listener('127.0.0.1', 0).addr[1]
    @server.run
    ->(body, headers) { post(port, body, headers) }
  ensure
    ENV.delete('WEBHOOK_SECRETS')
  end

  # Net::HTTP makes one line of a header that comes twice.
  def post(port, body, headers)
    lines = ['POST /webhooks HTTP/1.1', 'Host: localhost', 'Connection: close', "Content-Length: #{body.bytesize}"]
    headers.each { |name, value| Array(value).each { |each| lines << "#{name}: #{each}" } }
    TCPSocket.open('127.0.0.1', port) do |socket|
      socket.write(lines.join("\r\n"), "\r\n\r\n", body)
      io = Net::BufferedIO.new(socket)
      Net::HTTPResponse.read_new(io).tap { |response| response.reading_body(io, true) { response.body } }
    end
  end
end
