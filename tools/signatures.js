// Copyright (c) 2026 hwcloud.maintenance contributors
// SPDX-License-Identifier: GPL-3.0-or-later

// Signs the requests of tests/signatures/requests.json, given on stdin, with the official Node SDK; tools/signatures.py runs it.
// Output: one JSON object, the Authorization header of each request by its name.

"use strict";

const { AKSKSigner } = require("@huaweicloud/huaweicloud-sdk-core/auth/AKSKSigner");

const { access_key: accessKey, secret_key: secretKey, date, requests } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const credential = { getAk: () => accessKey, getSk: () => secretKey };
const signed = {};

for (const request of requests) {
  const queryParams = {};
  for (const [name, value] of request.query) {
    (queryParams[name] = queryParams[name] || []).push(value);
  }
  const type = Object.entries(request.headers).find(([name]) => name.toLowerCase() === "content-type");
  let data = "body_base64" in request ? Buffer.from(request.body_base64, "base64").toString("latin1") : request.body;
  if (data !== undefined && type && type[1].startsWith("application/json")) {
    // The SDK takes an object, and writes it as JSON itself.
    try {
      data = JSON.parse(data);
    } catch (error) {
      // It is signed as the text that it is.
    }
  }
  signed[request.name] = AKSKSigner.sign(
    {
      endpoint: `https://${request.host}${request.path}`,
      method: request.method,
      headers: { ...request.headers, "X-Sdk-Date": date },
      queryParams,
      data,
    },
    credential,
  ).Authorization;
}

console.log(JSON.stringify(signed));
