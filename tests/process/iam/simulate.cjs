// Decides requests by a policy with @cloud-copilot/iam-simulate: an IAM engine that is not ours.
// stdin: {"policy": ..., "requests": [{"action", "resource", "context"}]}; stdout: a list of results.
const { runSimulation } = require('@cloud-copilot/iam-simulate')

async function decide(policy, { action, resource, context }) {
  const accountId = '123456789012'
  const found = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${accountId}:user/tester`,
        action,
        resource: { resource, accountId },
        contextVariables: context,
      },
      identityPolicies: [{ name: 'generated', policy }],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {}
  )
  return found.overallResult ?? JSON.stringify(found.errors)
}

async function main() {
  let text = ''
  for await (const chunk of process.stdin) text += chunk
  const { policy, requests } = JSON.parse(text)
  const results = []
  for (const request of requests) results.push(await decide(policy, request))
  console.log(JSON.stringify(results))
}

main()
