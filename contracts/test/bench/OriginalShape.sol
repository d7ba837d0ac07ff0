// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title What verified settlement is measured against: the shape of a first-come coordinator without any proof.
/// @notice Written for the benchmark only. One call stores a request with a flag and emits strings, one stores the result
/// and pays the worker by transfer. Whoever answers first is believed.
contract OriginalShape {
    struct Request {
        address requester;
        bool isCompleted;
        string functionId;
        string result;
    }

    uint256 public requestCount;
    mapping(uint256 requestId => Request) public requests;

    event ExecutionRequested(uint256 indexed requestId, address indexed requester, string functionId, string input);
    event ExecutionCompleted(uint256 indexed requestId, address indexed worker, string result);

    error AlreadyCompleted(uint256 requestId);
    error PaymentFailed(address worker);

    receive() external payable {}

    function trigger(
        string calldata functionId,
        string calldata input
    ) external returns (uint256 requestId) {
        requestId = ++requestCount;
        Request storage request = requests[requestId];
        request.requester = msg.sender;
        request.functionId = functionId;
        emit ExecutionRequested(requestId, msg.sender, functionId, input);
    }

    function submit(
        uint256 requestId,
        string calldata result
    ) external {
        Request storage request = requests[requestId];
        require(!request.isCompleted, AlreadyCompleted(requestId));
        request.isCompleted = true;
        request.result = result;
        emit ExecutionCompleted(requestId, msg.sender, result);
        (bool isPaid,) = msg.sender.call{value: 1 gwei}("");
        require(isPaid, PaymentFailed(msg.sender));
    }
}
