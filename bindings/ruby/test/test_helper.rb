# frozen_string_literal: true

require 'torii'
require 'torii/middleware'
require 'torii/testing'
require 'minitest/autorun'
require 'net/http'
require 'openssl'
require 'socket'
require 'timeout'

ROOT = File.expand_path('../../..', __dir__)
USER = '01975f2e-6c00-7a3b-8c4d-5e6f708192a3'

# A server that listens at no port yet, and prints nothing.
def puma_server(app)
  return Puma::Server.new(app, Puma::Events.strings) if Puma::Const::VERSION.to_i < 6

  Puma::Server.new(app, nil, log_writer: Puma::LogWriter.strings)
end

# Signs webhooks as their sender does, with OpenSSL.
module Sender
  SECRET = 'whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY'
  OTHER = 'whsec_ZWZnaGlqa2xtbm9wcXJzdHV2d3h5ent8fX5/gIGCg4Q='

  # The headers of a webhook, signed as Standard Webhooks 1.0.0 describes.
  def self.sign(body, id: 'msg_1', sent: Time.now)
    key = SECRET.delete_prefix('whsec_').unpack1('m')
    text = "#{id.b}.#{sent.to_i}.#{body.b}"
    { 'webhook-id' => id, 'webhook-timestamp' => sent.to_i.to_s,
      'webhook-signature' => "v1,#{[OpenSSL::HMAC.digest('SHA256', key, text)].pack('m0')}" }
  end
end

# A test against the local torii, one for the whole run and reset before each test.
module EmulatorTest
  def self.torii = @torii ||= Torii::Testing::LocalTorii.new

  def setup = torii.reset

  def torii = EmulatorTest.torii

  def issuer = torii.issuer

  def token(...) = torii.token(...)

  def requests(path) = torii.requests(path)

  def fault(...) = torii.fault(...)

  def client(...) = torii.client(...)

  # The resident memory of this process in KiB.
  def rss = File.read('/proc/self/status')[/^VmRSS:\s+(\d+)/, 1].to_i
end
